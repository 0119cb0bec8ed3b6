cimport cython

from analyzer.tls.handshake.transcript cimport Transcript


@cython.no_gc
@cython.final
cdef class SessionKeys:
    cdef public object material
    cdef public Transcript transcript
    cdef public bytes client_random
    cdef public dict named
    cdef public int version
    cdef public bint tls13
    cdef public object suite
    cdef public int cipher_suite
    cdef public object suites
    cdef public object ech
    cdef public bint offers_early
    cdef public dict contradicting_labels
    cdef public dict verified
    cdef public str trial
    cdef public str reason
    cdef public str detail

    cpdef void note(self, str reason, str detail=*) except *
    cpdef void end_handshake(self, bytes master) except *
    cpdef void note_early(self) except *
    cpdef int draft(self) except -1
