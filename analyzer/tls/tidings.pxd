cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.string cimport memcpy

cdef Py_ssize_t HEAD_SIZE


# What lies at a place in a buffer, and putting it there; that there is room was checked before.

cdef inline void write_head(
    bytearray data, Py_ssize_t pos, long long word, long long number, long long frame, long long at, long long length,
    long long missing, long long size
) noexcept:
    cdef long long[7] head
    head[0] = word
    head[1] = number
    head[2] = frame
    head[3] = at
    head[4] = length
    head[5] = missing
    head[6] = size
    memcpy(PyByteArray_AS_STRING(data) + pos, head, sizeof(head))


cdef inline void write_bytes(bytearray data, Py_ssize_t pos, bytes body) noexcept:
    memcpy(PyByteArray_AS_STRING(data) + pos, <const char *> body, len(body))


cdef inline long long number_at(bytearray data, Py_ssize_t pos) noexcept:
    cdef long long number
    memcpy(&number, PyByteArray_AS_STRING(data) + pos, sizeof(number))
    return number


cdef inline bytes bytes_at(bytearray data, Py_ssize_t pos, Py_ssize_t size):
    return PyBytes_FromStringAndSize(PyByteArray_AS_STRING(data) + pos, size)


@cython.no_gc
@cython.final
cdef class Tidings:
    cdef public bytearray data
    cdef public Py_ssize_t end

    cdef void put(
        self, long long word, long long number, long long frame, long long at, long long length, long long missing, bytes body
    ) except *
    cdef void join(self, Tidings other) except *
    cdef void make_room(self, Py_ssize_t n_bytes) except *
    cpdef object take(self)


@cython.no_gc
@cython.final
cdef class TidingsReader:
    cdef public bytearray data
    cdef public Py_ssize_t pos
    cdef public long long word
    cdef public long long number
    cdef public long long frame
    cdef public long long at
    cdef public long long length
    cdef public long long missing
    cdef public bytes body

    cpdef bint advance(self) except? False
