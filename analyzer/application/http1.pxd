from analyzer.application.body cimport Body
from analyzer.application.exchange cimport Exchange, Journal, Request, Response
from analyzer.application.heads cimport (
    index,
    read_fields,
    read_framing,
    read_request_line,
    read_status_line,
)
from analyzer.application.http1_stream cimport Direction


cdef int CLIENT, SERVER


cdef class Http1:
    cdef public Journal journal
    cdef public object successor
    cdef tuple _directions
    cdef object _pending
    cdef object _unasked
    cdef bint _pipelined
    cdef Exchange _changing

    cpdef void feed(self, int side, bytes data, long long frame, long long at) except *
    cpdef void close(self) except *
    cpdef void succeed(self, int side, bytes data, long long frame, long long at) except *
    cpdef bint begin_message(self, int side, str line, str rest, long long frame, long long at) except *
    cpdef void end_message(self, int side) except *
    cpdef void found(self, int side) except *
    cdef bint _begin_request(self, str text, str rest, long long frame, long long at) except *
    cdef bint _begin_response(self, str text, str rest, long long frame, long long at) except *
    cdef Exchange _exchange_of_response(self, bint interim, long long frame)
    cdef void _change(self, Exchange exchange, Response response) except *
