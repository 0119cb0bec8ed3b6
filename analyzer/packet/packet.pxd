cimport cython


cdef class Packet:
    cdef public bytes data
    cdef public Py_ssize_t link
    cdef public int ether_type
    cdef public int vlan
    cdef public int ip_version
    cdef public Py_ssize_t ip
    cdef public int protocol
    cdef public bint fragment
    cdef public bint more_fragments
    cdef public long long fragment_offset
    cdef public long long fragment_id
    cdef public Py_ssize_t transport
    cdef public int source_port
    cdef public int destination_port
    cdef public long long sequence
    cdef public long long acknowledgement
    cdef public int flags
    cdef public int window
    cdef public Py_ssize_t payload
    cdef public Py_ssize_t payload_end
    cdef public long long missing
    cdef public str problem
    cdef public Py_ssize_t problem_at

    cpdef void clear(self)
    cpdef bytes key(self)
