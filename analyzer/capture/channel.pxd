cimport cython
from analyzer.capture.frame cimport Frame


@cython.final
cdef class LinkType:
    cdef public int number
    cdef public int another_at
    cdef public long long frames
    cdef public dict inner

    @cython.locals(at="Py_ssize_t")
    cpdef void count(self, Frame frame) except *


@cython.final
cdef class Channel:
    cdef public int number
    cdef public LinkType link
    cdef public long long snap_length
    cdef public long long multiplier
    cdef public long long most_ticks
    cdef public object clock
