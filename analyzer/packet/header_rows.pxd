cimport cython

from analyzer.capture.frame cimport Frame
from analyzer.capture.frame_reader cimport FrameReader
from analyzer.packet.header_tests cimport HeaderTest
from analyzer.packet.layer_places cimport LayerPlaces, Place

cdef int _HEXADECIMAL, _BIT, _HARDWARE, _ADDRESS, _FRAME_NUMBER
cdef int _FRAME_LENGTH, _CAPTURED, _EPOCH, _SINCE_FIRST
cdef int _FIRST, _LAST
cdef bytes _DIGITS
cdef long long _SECOND


@cython.final
cdef class HeaderColumn:
    cdef public int form
    cdef public tuple places
    cdef public int digits


@cython.final
cdef class HeaderRows:
    cdef public bytearray out
    cdef public int separator
    cdef public int aggregator
    cdef public int quote
    cdef public int occurrence
    cdef tuple _columns
    cdef dict _texts
    cdef long long _first
    cdef long long _before
    cdef long long _at

    cpdef void see(self, Frame frame) noexcept

    @cython.locals(out=bytearray, column=HeaderColumn, index=Py_ssize_t)
    cpdef void add(self, LayerPlaces layers, Frame frame) except *

    @cython.locals(seen=bint, start=Py_ssize_t, index=int, place=Place, value="long long")
    cdef void _add_values(self, bytearray out, HeaderColumn column, LayerPlaces layers) except *

    @cython.locals(n_bytes=Py_ssize_t, text=bytes, i=Py_ssize_t, octet=int)
    cdef void _add_octets(self, bytearray out, int form, bytes octets) except *

    @cython.locals(value="long long", before="long long")
    cdef void _add_fact(self, bytearray out, int form, Frame frame) except *


cpdef void put_number(bytearray out, long long value) except *
@cython.locals(i=int)
cpdef void put_hexadecimal(bytearray out, long long value, int digits) except *
@cython.locals(whole="long long")
cpdef void put_seconds(bytearray out, long long value) except *
cpdef void put_padded(bytearray out, long long value, int digits) except *

@cython.locals(frame=Frame)
cpdef bint add_rows(
    FrameReader reader, LayerPlaces layers, HeaderTest test, object defragmenter, HeaderRows rows, Py_ssize_t most
) except -1
