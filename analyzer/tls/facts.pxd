cimport cython


@cython.freelist(64)
@cython.no_gc
cdef class HandshakeMessage:
    cdef public int type
    cdef public str name
    cdef public int side
    cdef public long long frame
    cdef public long long at
    cdef public long long length
    cdef public bytes raw
    cdef public object body
    cdef public list problems
    cdef public bint encrypted


cpdef HandshakeMessage handshake_message(
    int number, str name, int side, long long frame, long long at, long long length, bytes raw, object body, list problems
)


@cython.no_gc
cdef class Alert:
    cdef public int level
    cdef public int description
    cdef public int side
    cdef public long long frame
    cdef public long long at
    cdef public bint encrypted


@cython.freelist(64)
@cython.no_gc
cdef class Event:
    cdef public str kind
    cdef public int side
    cdef public long long length
    cdef public long long frame
    cdef public long long at


cpdef Event new_event(str kind, int side, long long length, long long frame, long long at)


cdef class Finding:
    cdef public str code
    cdef public str severity
    cdef public str detail
    cdef public list frames
