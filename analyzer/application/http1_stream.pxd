from analyzer.application.body cimport Body

# The states, as C variables.
cdef int _HEAD, _LENGTH, _CHUNK_LINE, _CHUNK, _CHUNK_END, _TRAILERS, _TO_END, _WAITING, _SEEK, _LEFT


cdef class Direction:
    cdef object _messages
    cdef int _side
    cdef int _state
    cdef readonly bytearray _held
    cdef Py_ssize_t _n_scanned
    cdef bint _start_seen
    cdef Body _body
    cdef object _message
    cdef long long _left
    cdef list _waiting
    cdef bint _patient
    cdef public long long frame
    cdef public long long at
    cdef public bint lossy

    cpdef void feed(self, bytes data, long long frame, long long at) except *
    cpdef bint is_between(self) except *
    cpdef Py_ssize_t read_counted(self, object message, Body body, long long length, bytes data, Py_ssize_t pos) except -1
    cpdef void lose(self) except *
    cpdef void close(self) except *
    cpdef void wait(self) except *
    cpdef void resume(self) except *
    cpdef void leave(self) except *
    cpdef void begin_body(self, object message, object framing) except *
    cdef void _replay(self) except *
    cdef void _wait(self, bytes data) except *
    cdef void _note(self, str code, str detail) except *
    cdef Py_ssize_t _hold(self, bytes data, Py_ssize_t pos) except -1
    cdef bytes _join(self, bytes data)
    cdef bint _is_start(self) except *
    cdef void _drop_held(self) except *
    cdef Py_ssize_t _read_head(self, bytes data, Py_ssize_t pos) except -1
    cdef void _end_message(self) except *
    cdef Py_ssize_t _read_counted(self, bytes data, Py_ssize_t pos) except -1
    cdef void _end_counted(self) except *
    cdef Py_ssize_t _read_chunk_line(self, bytes data, Py_ssize_t pos) except -1
    cdef Py_ssize_t _read_chunk_end(self, bytes data, Py_ssize_t pos) except -1
    cdef Py_ssize_t _read_trailers(self, bytes data, Py_ssize_t pos) except -1
    cdef Py_ssize_t _seek(self, bytes data, Py_ssize_t pos) except -1
