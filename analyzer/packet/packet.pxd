cimport cython

cdef bint _COMPILED

cdef extern from "Python.h":
    bytes PyBytes_FromStringAndSize(const char *data, Py_ssize_t n_bytes)
    char *PyBytes_AS_STRING(object data)

cdef extern from "string.h":
    int memcmp(const void *first, const void *second, size_t n_bytes)
    void *memcpy(void *to, const void *data, size_t n_bytes)

cdef inline bint matches_at(const unsigned char *data, Py_ssize_t place, const unsigned char *key, Py_ssize_t n_bytes) noexcept:
    """Return whether the bytes of `key` are at that position. The caller has checked the size of `data`."""
    return memcmp(data + place, key, n_bytes) == 0

cdef inline bytes reversed_key(const unsigned char *key, Py_ssize_t half):
    """Return the reverse of a key with two addresses of `half` bytes and two ports."""
    cdef bytes reverse = PyBytes_FromStringAndSize(NULL, 2 * half + 4)
    cdef char *octets = PyBytes_AS_STRING(reverse)
    memcpy(octets, key + half, half)
    memcpy(octets + half, key, half)
    memcpy(octets + 2 * half, key + 2 * half + 2, 2)
    memcpy(octets + 2 * half + 2, key + 2 * half, 2)
    return reverse


@cython.final
cdef class Packet:
    cdef public bytes data
    cdef public Py_ssize_t link
    cdef public int ether_type
    cdef public int vlan
    cdef public int tunnels
    cdef public int ip_version
    cdef public Py_ssize_t ip
    cdef public int protocol
    cdef public bint fragment
    cdef public bint more_fragments
    cdef public long long fragment_offset
    cdef public long long fragment_id
    cdef public Py_ssize_t fragment_header
    cdef public Py_ssize_t announced_at
    cdef public Py_ssize_t transport
    cdef public int source_port
    cdef public int destination_port
    cdef public long long sequence
    cdef public long long acknowledgement
    cdef public int flags
    cdef public int window
    cdef public Py_ssize_t payload
    cdef public Py_ssize_t payload_end
    cdef public long long missing
    cdef public long long copy_of
    cdef public bint truncated
    cdef public str problem
    cdef public Py_ssize_t problem_at

    cpdef void clear(self)

    cpdef void clear_ip(self)

    @cython.locals(
        buffer="const unsigned char*", n_bytes=Py_ssize_t, first=Py_ssize_t, n_addresses=Py_ssize_t, ports=Py_ssize_t
    )
    cpdef bytes key(self)

    @cython.locals(n_bytes=Py_ssize_t, first=Py_ssize_t)
    cpdef bint has_key(self, bytes key) except -1

    @cython.locals(key=bytes, octets="const unsigned char*", n_addresses=Py_ssize_t, half=Py_ssize_t, middle=Py_ssize_t)
    cpdef bytes reverse_key(self)

    @cython.locals(left=Py_ssize_t)
    cdef bint is_too_short(self, Py_ssize_t n_bytes, str header) except -1

    cdef int fail(self, str problem) except -1

    @cython.locals(left=Py_ssize_t)
    cdef bint limit_window(self, long long n_bytes) noexcept
