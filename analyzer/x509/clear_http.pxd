cimport cython

from analyzer.flows.connection cimport Connection
from analyzer.flows.sink cimport Sink
from analyzer.tls.detect cimport Sessions, TlsStream

cdef int _ASKING, _WATCHING, _READING, _PASSED
cdef Py_ssize_t HEAD_SIZE
cdef long long READ_SIZE
cdef bytes RESPONSE, MEDIA_TYPE, HEAD_END


cpdef bint begins_request(bytes data, Py_ssize_t start, Py_ssize_t end) except *
cpdef bint begins_response(bytes data, Py_ssize_t start, Py_ssize_t end) except *
cpdef bint names_answer(bytes data, Py_ssize_t start, Py_ssize_t end) except *
cpdef Py_ssize_t answer_at(bytes data, Py_ssize_t start, Py_ssize_t end) except? -3


@cython.no_gc
cdef class AnswerStream(TlsStream):
    cdef public object answers
    cdef public int watch
    cdef public int server
    cdef public bytes head
    cdef public object reader
    cdef public long long n_read
    cdef public long long n_held

    cdef void look(
        self, int side, bytes data, Py_ssize_t start, Py_ssize_t end, long long frame, long long at
    ) except *
    cdef void finish(self, long long at) except *
    cdef void read(self, bytes data, Py_ssize_t start, Py_ssize_t end, long long frame, long long at) except *


cdef class AnsweringSessions(Sessions):
    cdef public object answers
