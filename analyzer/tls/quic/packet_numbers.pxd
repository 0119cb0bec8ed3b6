cimport cython


@cython.final
@cython.no_gc
cdef class PacketNumbers:
    cdef public list ends
    cdef public bint full
    cdef public list starts

    cpdef void add(self, long long first, long long last) except *
    cpdef bint has(self, long long number) except -1
