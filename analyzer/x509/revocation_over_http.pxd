cimport cython

cdef int _WATCHING, _READING, _PASSED
cdef Py_ssize_t HEAD_SIZE
cdef long long READ_SIZE
cdef bytes RESPONSE, MEDIA_TYPE, HEAD_END


cpdef bint begins_request(bytes data, Py_ssize_t start, Py_ssize_t end) except *
cpdef bint begins_response(bytes data, Py_ssize_t start, Py_ssize_t end) except *
cpdef bint has_revocation_type(bytes data, Py_ssize_t start, Py_ssize_t end) except *
cpdef Py_ssize_t revocation_response_at(bytes data, Py_ssize_t start, Py_ssize_t end) except? -3


@cython.no_gc
cdef class RevocationWatch:
    cdef public object take
    cdef public int state
    cdef public int server
    cdef public bytes head
    cdef public object reader
    cdef public long long n_read
    cdef public long long kept

    cpdef bint feed(self, int side, bytes data, Py_ssize_t start, Py_ssize_t end, long long frame, long long at) except -1
    cdef void read(self, bytes data, Py_ssize_t start, Py_ssize_t end, long long frame, long long at) except *
    cpdef bint needed(self) except -1
    cpdef void close(self, long long at) except *
    cpdef bint peek(self, int side, bytes data, Py_ssize_t start, Py_ssize_t end) except -1
    cpdef void gap(self, int side, long long length) except *
