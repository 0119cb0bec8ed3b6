cdef int _AT_HEADER, _IN_PAYLOAD, _IN_DATA, _IN_SKIPPED, _RAW, _LOST
cdef long long _DATA, _WEBTRANSPORT_STREAM, _FRAME_KEPT_MAX


cdef class Frames:
    cpdef void begin_data(self, long long length) except *
    cpdef void read_data(self, bytes data) except *
    cpdef void lose_data(self, long long length) except *
    cpdef void read_frame(self, long long kind, long long length, bytes payload) except *
    cpdef void begin_raw(self, long long session) except *
    cpdef void read_raw(self, bytes data) except *
    cpdef void lose(self) except *
    cpdef void note(self, str code, str detail) except *


cdef class FrameReader:
    cdef Frames _frames
    cdef bytes _held
    cdef long long _kind
    cdef long long _left
    cdef long long _length
    cdef bytearray _payload
    cdef int _state
    cdef public bint paused
    cdef public bint webtransport

    cpdef Py_ssize_t feed(self, bytes data) except -1
    cpdef void begin_raw(self) except *
    cpdef void end(self) except *
    cdef void _begin(self, long long kind, long long length) except *
    cdef void _end_if_complete(self) except *
