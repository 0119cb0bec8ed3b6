cimport cython

from analyzer.secrets.key_schedule cimport hmac_keys, tls_version


@cython.no_gc
cdef class RecordMac:
    cdef public bytes connection_id
    cdef object _inner
    cdef object _outer
    cdef bint _ssl3
    cdef readonly Py_ssize_t length

    cpdef bytes compute(self, object sequence, int content_type, int record_version, bytes data)
