from analyzer.application.body cimport Body
from analyzer.application.exchange cimport Exchange
from analyzer.application.http3_frames cimport FrameReader, Frames

cdef int _CLIENT, _SERVER


cdef class MessageStream:
    cdef public object connection
    cdef public tuple directions
    cdef public Exchange exchange
    cdef public long long number
    cdef public object tunnel

    cpdef Exchange listed(self, long long frame)
    cpdef void abandon(self) except *


cdef class StreamDirection(Frames):
    cdef long long _at
    cdef object _capsules
    cdef long long _frame
    cdef bint _has_trailers
    cdef list _held
    cdef object _length
    cdef long long _n_held
    cdef FrameReader _reader
    cdef object _section
    cdef MessageStream _stream
    cdef public bint ended
    cdef public int side

    cpdef void feed(self, bytes data, bint end, long long frame, long long at) except *
    cdef Body _begun_body(self)
