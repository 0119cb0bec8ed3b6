cimport cython

cdef int _NEAR, _FAR, _STEADY
cdef Py_ssize_t _MOST_FRAMES
cdef long long _WHOLE


@cython.no_gc
cdef class SenderSeries:
    cdef public int last
    cdef public bint joined
    cdef public long long n_steps
    cdef public long long n_skips
    cdef public long long n_random
    cdef public long long skipped
    cdef public int odd
    cdef public long long odd_frame
    cdef public int hops
    cdef public int odd_hop
    cdef public long long odd_hop_frame
    cdef public long long n_same_hops
    cdef public long long changes
    cdef public list skip_frames
    cdef public list odd_frames
    cdef public list restart_frames
    cdef public list backward_frames
    cdef public list odd_hops

    cpdef void take(self, int identification, int hops, long long n_bytes, bint forward, long long frame) except *
    cdef void step(self, int identification, bint forward, long long frame) except *
    cpdef bint is_steady(self) except -1


cpdef list keep_frame(list frames, long long frame)
