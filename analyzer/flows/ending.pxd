cimport cython

from analyzer.flows.connection cimport Connection, Endpoint, Reset

cdef tuple NO_ERRORS, NOTHING


@cython.no_gc
@cython.final
cdef class Ending:
    cdef public bint asked
    cdef public bint answered
    cdef public long long answered_at
    cdef public tuple n_packets
    cdef public tuple n_bytes
    cdef public tuple fins
    cdef public long long fin_at
    cdef public tuple resets
    cdef public Reset forged
    cdef public tuple unanswered
    cdef public tuple beyond
    cdef public tuple hops
    cdef public long long now
    cdef public tuple resent
    cdef public tuple largest
    cdef public tuple resent_frames
    cdef public tuple path_errors

    cpdef int closed_by(self) except -2
    cpdef long long end_frame(self, int role) except *
    cpdef bint may_be_first(self, int role) except -1
    cpdef bint lacks_end(self, int role) except -1


cpdef long long unanswered(Endpoint endpoint) except -2
cpdef long long beyond(Endpoint endpoint) except -2
