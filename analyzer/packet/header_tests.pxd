cimport cython
from analyzer.capture.frame cimport Frame
from analyzer.capture.frame_reader cimport FrameReader
from analyzer.packet.layer_places cimport LayerPlaces, Place

cdef int _EQUAL, _UNEQUAL, _LESS, _NOT_MORE, _MORE


cdef class HeaderTest:
    cpdef bint holds(self, LayerPlaces layers) except -1


cdef class HasField(HeaderTest):
    cdef public tuple places

    @cython.locals(index=int, place=Place)
    cpdef bint holds(self, LayerPlaces layers) except -1


cdef class ComparesNumber(HeaderTest):
    cdef public tuple places
    cdef public int operator
    cdef public long long number
    cdef public bint every
    cdef public bint is_bit

    @cython.locals(index=int, place=Place, value=Py_ssize_t, seen=bint, passes=bint)
    cpdef bint holds(self, LayerPlaces layers) except -1

    cpdef bint compare(self, long long value) noexcept


cdef class ComparesOctets(HeaderTest):
    cdef public tuple places
    cdef public bytes octets
    cdef public bytes mask
    cdef public bint differs
    cdef public bint every

    @cython.locals(index=int, place=Place, seen=bint, passes=bint)
    cpdef bint holds(self, LayerPlaces layers) except -1


cdef class AllOf(HeaderTest):
    cdef public tuple tests

    @cython.locals(test=HeaderTest)
    cpdef bint holds(self, LayerPlaces layers) except -1


cdef class AnyOf(HeaderTest):
    cdef public tuple tests

    @cython.locals(test=HeaderTest)
    cpdef bint holds(self, LayerPlaces layers) except -1


cdef class NotSo(HeaderTest):
    cdef public HeaderTest test

    cpdef bint holds(self, LayerPlaces layers) except -1


@cython.locals(frame=Frame)
cpdef bint next_passing(FrameReader reader, LayerPlaces layers, HeaderTest test, object defragmenter) except -1
