cimport cython

from analyzer.flows.sink cimport DatagramSink


@cython.no_gc
cdef class UdpSide:
    cdef public UdpFlow flow
    cdef public int side
    cdef public bytes key
    cdef public UdpSide peer
    cdef public long long n_packets
    cdef public long long n_bytes


@cython.no_gc
cdef class UdpFlow:
    cdef public UdpSide originator
    cdef public UdpSide responder
    cdef public Py_ssize_t place
    cdef public long long first_frame
    cdef public long long last_frame
    cdef public long long start
    cdef public long long end
    cdef public str closed
    cdef public long long copies
    cdef public DatagramSink sink
