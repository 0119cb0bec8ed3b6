cimport cython

from analyzer.codec.byte_slices cimport slice_bytes

cdef int MAX_HANDSHAKE, MAX_PIECES, _HEADER


@cython.no_gc
@cython.final
cdef class MessageReader:
    cdef public bytearray buffer
    cdef public bytes data
    cdef public Py_ssize_t pos
    cdef public long long need
    cdef public long long skip
    cdef public bytes raw
    cdef public long long length
    cdef public str problem
    cdef public bint tracking
    cdef public list pieces
    cdef public Py_ssize_t piece
    cdef public Py_ssize_t piece_at

    cpdef void feed(self, bytes body, bint whole, long long offset) except *
    cpdef bint advance(self) except -1
    cpdef bint cut_short(self) except -1
    cpdef bint is_inside(self) except -1
    cpdef void lose(self) except *
    cdef void add_piece(self, long long offset, Py_ssize_t n_bytes) except *
    cdef void drop_pieces(self, Py_ssize_t n_bytes) except *
