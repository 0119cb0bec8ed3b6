cimport cython

from analyzer.application.body cimport Body
from analyzer.application.exchange cimport Exchange, ConversationLog, Request, Response, new_exchange, new_request, new_response
from analyzer.application.http1_stream cimport Direction
from analyzer.application.http1_fast_path cimport FastPathMessage, read_plain_request, read_plain_response


cdef int CLIENT, SERVER, HEAD_MAX, PENDING_MAX
cdef list NO_CODINGS


cdef class Http1:
    cdef public ConversationLog log
    cdef public object successor
    cdef tuple _directions
    cdef list _pending
    cdef list _unmatched_responses
    cdef bint _pipelined
    cdef Exchange _upgrading

    cpdef void feed(self, int side, bytes data, long long frame, long long at) except *
    cpdef void close(self) except *
    cpdef void succeed(self, int side, bytes data, long long frame, long long at) except *
    cpdef bint begin_message(self, int side, str line, str rest, long long frame, long long at) except *
    cpdef void end_message(self, int side) except *
    cpdef void found(self, int side) except *
    @cython.locals(fields=list, request=Request)
    cdef Py_ssize_t _read_plain_request(self, Direction direction, bytes data) except -1
    @cython.locals(method=str, fields=list, response=Response)
    cdef Py_ssize_t _read_plain_response(self, Direction direction, bytes data) except -1
    @cython.locals(pending=list)
    cdef void _await_response(self, Exchange exchange, long long frame) except *
    cdef bint _begin_request(self, str text, str rest, long long frame, long long at) except *
    cdef bint _begin_response(self, str text, str rest, long long frame, long long at) except *
    cdef Exchange _exchange_of_response(self, bint interim, long long frame)
    cdef void _change(self, Exchange exchange, Response response) except *
