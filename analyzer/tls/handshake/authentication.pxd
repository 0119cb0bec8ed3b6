cimport cython

from analyzer.tls.handshake.transcript cimport Transcript, is_retry

cdef int HELLO_RETRY_REQUEST, CERTIFICATE_VERIFY, FINISHED, MAX_SIGNATURES


@cython.no_gc
cdef class FinishedKeys:
    cpdef bytes master_secret(self)
    cpdef bytes verify_data(self, int role, bytes preceding)
    cpdef bytes verify_data_later(self, bytes preceding)


@cython.no_gc
cdef class Signed:
    cdef public int role
    cdef public object scheme
    cdef public bytes content
    cdef public bytes signature
    cdef public bytes certificate
    cdef public str problem
    cdef public bytes digest
    cdef public bint tls13
    cdef public tuple offered
    cdef public str method
    cdef public tuple result


@cython.no_gc
cdef class Authentication:
    cdef public list signed
    cdef public list finished
    cdef public object running
    cdef public list offered
    cdef public list doubts
    cdef public str method
    cdef public bint tls13
    cdef public list verify_data

    cpdef void authenticate(self, Transcript transcript, FinishedKeys keys, object chosen, int version, bint tls13) except *
    cpdef void process(self, Transcript transcript, int version, bint tls13, object hashed, FinishedKeys keys) except *
    cpdef void sign(self, Signed signed) except *
    cpdef void finish(self, int role, str result) except *
    @cython.locals(raw=bytes)
    cdef void authenticate13(self, Transcript transcript, object hashed, FinishedKeys keys, bint keeps_hello) except *
    @cython.locals(raw=bytes)
    cdef void authenticate12(self, Transcript transcript, int version, object hashed, FinishedKeys keys) except *


cdef bytes _digest(object running, list preceding)
cpdef str worse(str known, str new)
cdef bytes _expected(FinishedKeys keys, int role, bytes preceding)
cpdef str compare(bytes raw, bytes expected)
cpdef Signed exchanged(Transcript transcript, bytes certificate)
cpdef Signed verify13(int role, bytes raw, bytes digest, bytes certificate)
cdef Signed _verify12(int role, bytes raw, bytes preceding, int version, bytes certificate, bytes master)
cdef tuple _signature(bytes raw, Py_ssize_t pos, bint names_scheme)
