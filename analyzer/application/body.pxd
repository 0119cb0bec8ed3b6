cdef str NOTHING_SHA256
cdef object begin_sha256


cdef class Bodies:
    cdef public bint hashing
    cdef public int n_decoding
    cdef public object note


cdef class Body:
    cdef Bodies _bodies
    cdef list _codings
    cdef object _stack
    cdef object _digest
    cdef object _sink
    cdef bint _hashing
    cdef bint _cut
    cdef bint _whole
    cdef public long long length
    cdef public long long n_wire
    cdef public bint complete
    cdef public bint decoded
    cdef public long long end_frame
    cdef public bint plain

    cpdef void begin(self, Bodies bodies, list codings, object sink) except *
    cpdef void feed(self, bytes data, long long frame) except *
    cpdef void skip(self, long long n_bytes) except *
    cpdef void lose(self) except *
    cpdef void finish(self, long long frame) except *
    cdef void _open(self, list codings, long long frame) except *
    cdef void _end(self) except *
    cdef void _take(self, bytes data) except *


cpdef Body new_body(Bodies bodies, list codings, object sink)
