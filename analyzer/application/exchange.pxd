from analyzer.application.body cimport Bodies, Body, new_body

cdef long long FIELD_COST
cdef dict _REQUEST


cdef class Request:
    cdef public str method
    cdef public str scheme
    cdef public str authority
    cdef public str path
    cdef public list headers
    cdef public str version
    cdef public long long frame
    cdef public long long at
    cdef public Body body
    cdef public list trailers


cdef class Response:
    cdef public object status
    cdef public list headers
    cdef public str version
    cdef public long long frame
    cdef public long long at
    cdef public Body body
    cdef public list trailers


cdef class Exchange:
    cdef public Request request
    cdef public Response response
    cdef public object stream
    cdef public list interim
    cdef public bint pushed
    cdef public str protocol
    cdef public tuple pseudo
    cdef public str reset
    cdef public list datagrams
    cdef public dict capsules
    cdef public bint guessed

    cpdef dict record(self)


cpdef Request new_request(
    str method, str scheme, str authority, str path, list headers, str version, long long frame, long long at, Body body
)
cpdef Response new_response(int status, list headers, str version, long long frame, long long at, Body body)
cpdef Exchange new_exchange()


cdef class Finding:
    cdef readonly str code
    cdef readonly str detail
    cdef readonly long long frame


cdef class Findings:
    cdef public list found
    cdef public dict numbers

    cpdef void note(self, str code, str detail, long long frame) except *


cdef class ConversationLog:
    cdef Findings _findings
    cdef Bodies _bodies
    cdef object _on_body
    cdef readonly list exchanges
    cdef readonly list messages
    cdef public list dns
    cdef readonly str scheme
    cdef long long _n_header_bytes
    cdef bint _limit_reported

    cpdef void note(self, str code, str detail, long long frame) except *
    cpdef void add(self, Exchange exchange, long long frame) except *
    cpdef list keep(self, list fields, long long n_bytes, long long frame)
    cpdef Body body(self, Exchange exchange, int side, list codings)
    cdef void _note_limit(self, str what, long long frame) except *
