cimport cython


@cython.no_gc
cdef class Sink:
    cdef public bint wanted

    cpdef bint peek(self, int side, bytes data, Py_ssize_t start, Py_ssize_t end) except *
    cpdef void feed(
        self, int side, bytes data, Py_ssize_t start, Py_ssize_t end, long long offset, long long frame, long long at
    ) except *
    cpdef void gap(self, int side, long long offset, long long length, long long frame, long long at) except *
    cpdef void conflict(self, int side, long long offset, bytes first, bytes second, long long frame, long long at) except *
    cpdef void doubt(self, int side, str kind, long long offset, bytes data, long long frame, long long at) except *
    cpdef void close(self, str reason, long long frame, long long at) except *


@cython.no_gc
cdef class DatagramSink:
    cdef public bint wanted

    cpdef void feed(
        self, int side, bytes data, Py_ssize_t start, Py_ssize_t end, long long missing, long long frame, long long at
    ) except *
    cpdef void take_error(self, object error) except *
    cpdef void close(self, str reason, long long frame, long long at) except *
