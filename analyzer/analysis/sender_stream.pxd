cimport cython

from analyzer.analysis.sender_series cimport keep_frame

cdef Py_ssize_t _MOST_HOLES
cdef long long _FARTHEST, _WORD, _HALF_WORD


@cython.no_gc
cdef class SenderStream:
    cdef public bint started
    cdef public long long next
    cdef public long long offset
    cdef public long long acknowledged
    cdef public list holes
    cdef public long long n_lost
    cdef public long long n_holes
    cdef public list lost_frames

    cpdef bint feed(self, long long sequence, long long n_bytes, long long frame) except -1
    cpdef bint acknowledge(self, long long number, long long frame) except -1
    cdef void advance(self, long long n_bytes) noexcept
    cdef void keep(self, long long start, long long end, long long frame) except *
    cdef void fill(self, long long start, long long end) except *
    cdef void count(self, tuple hole) except *
    cpdef void close(self) except *
