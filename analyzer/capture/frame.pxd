cdef class Frame:
    cdef public long long number
    cdef public long long at
    cdef public bytes data
    cdef public Py_ssize_t start
    cdef public Py_ssize_t end
    cdef public long long wire_length
    cdef public int link_type
    cdef public int interface
    cdef public list interfaces
    cdef public long long offset
