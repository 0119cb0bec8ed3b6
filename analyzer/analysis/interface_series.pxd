from analyzer.analysis.sender_series cimport keep_frame
from analyzer.capture.frame cimport Frame

cdef long long _LARGE_STEP
cdef Py_ssize_t _MOST_STEPS


cdef class InterfaceSeries:
    cdef public long long frames
    cdef public long long last_at
    cdef public long long n_backward
    cdef public long long largest_backward
    cdef public list backward_frames
    cdef public list steps
    cdef public list jumps
    cdef public long long n_nano
    cdef public long long n_micro
    cdef public long long n_milli
    cdef public list nano_frames
    cdef public list micro_frames
    cdef public list milli_frames
    cdef public long long cut_length
    cdef public long long n_cut
    cdef public long long n_other_cuts
    cdef public list cut_frames
    cdef public long long longest
    cdef public long long n_short
    cdef public list short_frames

    cpdef void count(self, Frame frame) except *
    cdef void count_cut(self, Frame frame, long long n_bytes) except *
    cpdef long long step_within(self, long long after, long long last, long long n_least) except -1
