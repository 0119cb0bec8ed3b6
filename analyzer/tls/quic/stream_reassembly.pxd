cimport cython


@cython.final
@cython.no_gc
cdef class Reassembly:
    cdef public long long end
    cdef public long long limit
    cdef public long long next
    cdef public long long waiting
    cdef list _offsets
    cdef list _pieces

    cpdef bytes feed(self, long long offset, bytes data)
    cpdef void allow(self, long long maximum) except *
    cpdef tuple skip(self)
    cdef void _keep(self, long long offset, bytes data) except *
    cdef bytes _following(self)
