cdef class OpenSessions:
    cdef public tuple numbers
    cdef public object servers
    cdef dict _by_random

    cpdef long long number(self, long long place) except *
    cpdef object enter(self, bytes random, long long number)
    cpdef long long leave(self, bytes random, long long number) except *
