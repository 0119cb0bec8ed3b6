cimport cython


@cython.no_gc
cdef class Line:
    cdef public str label
    cdef public bytes session
    cdef public bytes secret
    cdef public str source
    cdef public long long line
    cdef public bint used
