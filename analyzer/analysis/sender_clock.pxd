cimport cython

cdef long long _MEASURED, _STEP, _DRIFT, _SILENCE, _SLOWEST, _FEWEST_TICKS, _WORD, _HALF_WORD


@cython.no_gc
cdef class SenderClock:
    cdef public long long last
    cdef public long long last_at
    cdef public long long last_frame
    cdef public long long step_from
    cdef public long long ticks
    cdef public long long span
    cdef public long long rate
    cdef public long long next_try

    cpdef long long take(self, long long value, long long at, long long frame) except? -1
    cpdef bint is_older(self, long long value) except -1
    cpdef void find_rate(self) except *
