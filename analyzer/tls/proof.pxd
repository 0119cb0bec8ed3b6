cimport cython

from analyzer.tls.decrypt cimport Decryption
from analyzer.tls.transcript cimport Transcript, is_retry

cdef int HELLO_RETRY_REQUEST, CERTIFICATE, CERTIFICATE_REQUEST, CERTIFICATE_VERIFY, FINISHED


@cython.no_gc
cdef class Signed:
    cdef public int role
    cdef public object scheme
    cdef public bytes content
    cdef public bytes signature
    cdef public bytes certificate
    cdef public str problem
    cdef public bytes digest


@cython.no_gc
cdef class Proof:
    cdef public list signed
    cdef public list finished
    cdef public object running


cpdef Proof settle(Transcript transcript, Decryption work, object chosen, int version, bint tls13)
cpdef Proof prove(Transcript transcript, int version, bint tls13, object hashed, Decryption work)
@cython.locals(raw=bytes)
cdef Proof _prove13(Transcript transcript, object hashed, Decryption work, bint keeps_hello)
cdef bytes _digest(object running, list heard)
@cython.locals(raw=bytes)
cdef Proof _prove12(Transcript transcript, int version, object hashed, Decryption work)
cpdef str worse(str known, str new)
cdef bytes _expected(Decryption work, int role, bytes heard)
cpdef str compare(bytes raw, bytes expected)
cpdef Signed exchanged(Transcript transcript, bytes certificate)
cpdef Signed verify13(int role, bytes raw, bytes digest, bytes certificate)
cdef Signed _verify12(int role, bytes raw, bytes heard, int version, bytes certificate, bytes master)
cdef tuple _signature(bytes raw, Py_ssize_t pos, bint names_scheme)
