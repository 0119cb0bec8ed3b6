cimport cython

from analyzer.secrets.opener cimport Opener
from analyzer.secrets.schedule13 cimport finished, next_traffic_secret, traffic_keys


@cython.no_gc
cdef class ExplicitNonceOpener(Opener):
    cdef object _aead
    cdef bytes _salt
    cdef Py_ssize_t _explicit
    cdef Py_ssize_t _overhead
    cdef tuple _last


@cython.no_gc
cdef class ImplicitNonceOpener(Opener):
    cdef object _aead
    cdef object _iv
    cdef Py_ssize_t _nonce_length
    cdef Py_ssize_t _tag


@cython.no_gc
cdef class Tls13Opener(Opener):
    cdef object _aead
    cdef int _draft
    cdef str _hash
    cdef bint _header_counts
    cdef object _iv
    cdef object _kind
    cdef bytes _prefix
    cdef bytes _secret
    cdef Py_ssize_t _tag

    cdef void _key(self) except *
    cpdef bytes verify_data(self, bytes transcript_hash)
