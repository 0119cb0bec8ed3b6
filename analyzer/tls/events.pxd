cimport cython


@cython.no_gc
cdef class Event:
    cdef public long long session
    cdef public int role
    cdef public long long frame
    cdef public long long at
    cdef public int version


cdef class SessionBegan(Event):
    cdef public object flow


@cython.no_gc
cdef class HandshakeMessage(Event):
    cdef public int type
    cdef public str name
    cdef public long long length
    cdef public bytes raw
    cdef public object body
    cdef public list problems
    cdef public bint encrypted
    cdef public tuple pieces


cdef tuple NO_PIECES


cpdef HandshakeMessage handshake_message(
    int number, str name, int role, long long frame, long long at, long long length, bytes raw, object body, list problems,
    bint encrypted
)


@cython.no_gc
cdef class Alert(Event):
    cdef public int level
    cdef public int description
    cdef public bint encrypted
    cdef public bint injected


@cython.no_gc
cdef class RecordEvent(Event):
    cdef public str kind
    cdef public long long length


cpdef RecordEvent record_event(str kind, int role, long long length, long long frame, long long at)


@cython.no_gc
cdef class RecordRead(Event):
    cdef public int content_type
    cdef public long long offset
    cdef public int header
    cdef public long long length
    cdef public int wire_version


@cython.no_gc
cdef class KeysChanged(Event):
    cdef public str epoch


@cython.no_gc
cdef class OutOfOrder(Event):
    cdef public int type
    cdef public str state


@cython.no_gc
cdef class DataBegan(Event):
    cdef public bytes alpn
    cdef public long long failed
    cdef public str reason


@cython.no_gc
cdef class Data(Event):
    cdef public bytes data
    cdef public bint end
    cdef public long long reset
    cdef public long long stream


@cython.no_gc
cdef class DataMissing(Event):
    cdef public str reason
    cdef public long long failed
    cdef public long long length
    cdef public long long stream


@cython.no_gc
cdef class Gap(Event):
    cdef public long long offset
    cdef public long long length


@cython.no_gc
cdef class Conflict(Event):
    cdef public long long offset
    cdef public bytes first
    cdef public bytes second


cdef class Finding(Event):
    cdef public str code
    cdef public str severity
    cdef public str detail
    cdef public list frames


cdef class SessionEnded(Event):
    cdef public object ended
    cdef public long long order
