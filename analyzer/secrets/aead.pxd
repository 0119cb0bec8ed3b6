cimport cython

from analyzer.secrets.record_decryptor cimport RecordDecryptor


@cython.no_gc
cdef class ExplicitNonceDecryptor(RecordDecryptor):
    cdef object _aead
    cdef bytes _salt
    cdef Py_ssize_t _explicit
    cdef Py_ssize_t _overhead
    cdef tuple _last


@cython.no_gc
cdef class ImplicitNonceDecryptor(RecordDecryptor):
    cdef object _aead
    cdef object _iv
    cdef Py_ssize_t _nonce_length
    cdef Py_ssize_t _tag


@cython.no_gc
cdef class Tls13Decryptor(RecordDecryptor):
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
    cpdef bytes traffic_secret(self)
    cpdef bytes verify_data(self, bytes transcript_hash)
