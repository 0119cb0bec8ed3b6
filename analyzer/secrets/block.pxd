cimport cython

from analyzer.secrets.mac cimport RecordMac
from analyzer.secrets.record_decryptor cimport RecordDecryptor

cdef list _PADDINGS


@cython.no_gc
cdef class BlockDecryptor(RecordDecryptor):
    cdef Py_ssize_t _block
    cdef bytes _last
    cdef object _decryptor
    cdef RecordMac _mac
    cdef bint _chained
    cdef bint _ssl3_padding
    cdef bint _outside
    cdef bint _iv_here

    @cython.locals(plaintext=bytes, ciphertext=bytes, expected=bytes)
    cdef tuple _search(self, object first, long long limit, int content_type, int version, bytes body)
    cdef object _matching_sequence(self, object sequences, int content_type, int version, bytes data, bytes expected)
    cdef Py_ssize_t _unpad(self, bytes padded, Py_ssize_t least) except? -2
    cdef void _rewind(self) except *
    cdef void _follow(self, bytes body) except *
