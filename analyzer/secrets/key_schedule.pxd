cimport cython


@cython.no_gc
cdef class Hmac:
    cdef object _inner
    cdef object _outer

    cpdef bytes compute(self, bytes data)


cpdef int tls_version(int version) except -1
cpdef tuple hmac_keys(object hashed, bytes key)
@cython.locals(inner=bytes, outer=bytes)
cpdef bytes hmac(object hashed, bytes key, bytes data)
cpdef bytes prf(int version, str prf_hash, bytes secret, bytes label, bytes seed, Py_ssize_t length)
cpdef bytes key_block(
    int version, str prf_hash, bytes master, bytes client_random, bytes server_random, Py_ssize_t length
)
cpdef bytes finished_of(int version, str prf_hash, bytes master, bint client, bytes session_hash)
@cython.locals(output=bytes, turn=bytes)
cdef bytes _p_hash(object hashed, bytes secret, bytes seed, Py_ssize_t length)
cdef bytes _prf_tls10(bytes secret, bytes seed, Py_ssize_t length)
cdef bytes _prf_ssl3(bytes secret, bytes seed, Py_ssize_t length)
