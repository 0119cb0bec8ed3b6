cimport cython

cdef Py_ssize_t _MOST_FOUND, _MOST_GIVEN


cdef class Interval:
    cdef public long long n_packets
    cdef public long long n_bytes


cdef class Intervals:
    cdef public bint finds
    cdef public long long length
    cdef public long long start
    cdef public long long first
    cdef public long long last
    cdef public dict counts
    cdef public long long place
    cdef public Interval current
    cdef public long long n_packets
    cdef public long long n_bytes
    cdef public long long untimed
    cdef public long long beyond

    @cython.locals(distance="long long", place="long long", current=Interval)
    cpdef void count(self, long long at, long long n_bytes) except *

    cdef Interval find(self, long long place)
