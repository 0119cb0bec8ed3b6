cimport cython

cdef bint _COMPILED

cdef extern from "string.h":
    const void *memchr(const void *data, int value, size_t n_bytes)

cdef inline Py_ssize_t find_byte_in(const unsigned char *data, int value, Py_ssize_t start, Py_ssize_t end) noexcept:
    """Return the position of the first byte with that value from `start` to `end`, -1 if there is none."""
    cdef const void *found = memchr(data + start, value, end - start)
    return -1 if found is NULL else <const unsigned char *> found - data


@cython.locals(buffer="const unsigned char*")
cpdef bytes slice_bytes(bytes data, Py_ssize_t start, Py_ssize_t end)

cpdef Py_ssize_t find_byte(bytes data, int value, Py_ssize_t start, Py_ssize_t end) except? -2
