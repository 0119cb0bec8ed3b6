cimport cython

from analyzer.capture.frame cimport Frame
from analyzer.store.clock cimport Clock

cdef int REMEMBERED
cdef object csv_cell, harmless
cdef int _ARROW, UNUSUAL, SEPARATES, QUOTES


@cython.final
cdef class PacketRows:
    cdef object _places
    cdef object _dumps
    cdef Clock _quoted
    cdef Clock _clock
    cdef dict _texts
    cdef dict _cells
    cdef str _path
    cdef bytes _json_place
    cdef bytes _csv_place

    @cython.locals(head=str)
    cpdef bytes json(self, Frame frame, str source, str destination, str protocol, str info)
    @cython.locals(head=str)
    cpdef bytes csv(self, Frame frame, str source, str destination, str protocol, str info)
    @cython.locals(shown=list, index=Py_ssize_t, room=Py_ssize_t, right=bint, cell=str, blanks=Py_ssize_t)
    cpdef bytes line(self, list cells, list layout, str gap)
    @cython.locals(time=str, since="long long", micros="long long", seconds="long long", where=str)
    cpdef list cells(self, Frame frame, long long start, str source, str destination, str protocol, str info)
    @cython.locals(known=str)
    cdef str _text(self, str value)
    @cython.locals(known=str)
    cdef str _cell(self, str value)
    @cython.locals(path=str)
    cdef void _find(self, Frame frame) except *


@cython.locals(found=int, code=long)
cdef int _kind(str text) except -2
cdef str _shown(str text)
@cython.locals(kind=int)
cdef str _info_cell(str info)
