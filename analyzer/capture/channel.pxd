cimport cython


@cython.final
cdef class LinkType:
    cdef public int number
    cdef public long long frames


@cython.final
cdef class Channel:
    cdef public int number
    cdef public LinkType link
    cdef public long long snap_length
    cdef public long long multiplier
    cdef public long long most_ticks
    cdef public object clock
