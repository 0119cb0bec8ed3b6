cimport cython

cdef int MAX_FIRST


@cython.no_gc
@cython.final
cdef class SealedSizes:
    cdef public list first
    cdef public list frames
    cdef public long long last
    cdef public long long last_frame
    cdef public long long last_at

    cdef void add(self, long long length, long long frame, long long at) except *
