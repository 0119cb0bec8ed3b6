cimport cython

cdef int HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, CERTIFICATE_VERIFY, FINISHED
cdef long long MAX_TRANSCRIPT


cdef class Transcript:
    cdef list _client
    cdef list _server
    cdef long long _size
    cdef public bytes client_random
    cdef public bytes server_random
    cdef public object exchanged
    cdef public list certificates
    cdef public bint early
    cdef public bint complete
    cdef public bint verifies

    cpdef void begin(self) except *
    cpdef bint hear(self, int role, bytes raw, bint whole) except *
    cpdef void lose(self, int role) except *
    cpdef void forget(self) except *
