cimport cython


cpdef tuple hmac_keys(object hashed, bytes key)
@cython.locals(inner=bytes, outer=bytes)
cpdef bytes hmac(object hashed, bytes key, bytes data)
@cython.locals(inner=bytes, outer=bytes, output=bytes, turn=bytes)
cdef bytes _p_hash(object hashed, bytes secret, bytes seed, Py_ssize_t length)
