cimport cython

cdef int START_BYTES


cpdef bint has_explicit_nonce(object suite) except *


@cython.no_gc
@cython.final
cdef class ExplicitNonces:
    cdef public list first
    cdef public list following
    cdef public list others
    cdef public list repeated

    cpdef void begin(self, int role) except *
    cpdef bint repeats(self, int role, bytes body) except *
