cimport cython

cdef int HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, HELLO_RETRY_REQUEST, SERVER_HELLO_DONE, CERTIFICATE_VERIFY, FINISHED
cdef long long MAX_TRANSCRIPT
cdef int RANDOM_BEGIN, RANDOM_END, _RETRY_SHOWN


@cython.no_gc
cdef class Transcript:
    cdef list _client
    cdef list _server
    cdef long long _size
    cdef public bytes client_random
    cdef public bytes server_random
    cdef public tuple exchanged
    cdef public list certificates
    cdef public bint early
    cdef public bint complete
    cdef public bint verifies
    cdef public bint dtls
    cdef public int sequence
    cdef dict _sequences

    cpdef void begin(self) except *
    cpdef bint add_message(self, int role, bytes raw, bint whole) except *
    cpdef void lose(self, int role) except *
    cpdef void lose_beginning(self) except *
    cpdef void forget(self) except *
    cpdef bytes hashed(self, int role, bytes raw)
    cpdef list steps(self, bint tls13)


cpdef bint is_retry(bytes raw) except -1
cpdef bint tells_retry(bytes raw) except -1
cdef int _kind(bytes raw) except -2
cdef bint _is_retry(bytes raw) except -1
cdef Py_ssize_t _through(list sent, Py_ssize_t start, int last) except -1
cdef void _say(list steps, int role, list sent, Py_ssize_t start, Py_ssize_t end) except *
