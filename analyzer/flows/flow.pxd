cimport cython

from analyzer.codec.byte_slices cimport slice_bytes


@cython.no_gc
@cython.final
cdef class Flow:
    cdef public int protocol
    cdef public bytes key
    cdef public long long first_frame
    cdef public long long last_frame
    cdef public long long start
    cdef public long long end
    cdef public bint mid_stream
    cdef public str closed
    cdef public long long limited
    cdef public long long copies
    cdef public int unseen
    cdef public bint late
    cdef public tuple resent
    cdef public tuple unacknowledged
    cdef public object process
    cdef public object before
    cdef public object ending
    cdef public tuple capture
    cdef public object carrier
    cdef public tuple path_errors

    cpdef bytes client_key(self)
    cpdef bytes server_key(self)
