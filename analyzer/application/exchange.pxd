from analyzer.application.body cimport Bodies, Body


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
    cdef public str reset
    cdef public bint guessed

    cpdef dict record(self)


cdef class Journal:
    cdef object _findings
    cdef Bodies _bodies
    cdef object _on_body
    cdef readonly list exchanges
    cdef readonly list messages
    cdef readonly str scheme
    cdef long long _n_heads
    cdef bint _room_told

    cpdef void note(self, str code, str detail, long long frame) except *
    cpdef void add(self, Exchange exchange, long long frame) except *
    cpdef list keep(self, list fields, long long n_bytes, long long frame)
    cpdef Body body(self, Exchange exchange, int side, list codings)
    cdef void _tell_full(self, str what, long long frame) except *
