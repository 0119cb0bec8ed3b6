from analyzer.packet.packet cimport Packet

cdef bint _COMPILED

cdef extern from "string.h":
    void *memcpy(void *to, const void *data, size_t n_bytes)

cdef extern from "arpa/inet.h":
    unsigned short ntohs(unsigned short number)

cdef int _GOOD, _WRONG, _UNFINISHED, _UNCHECKED
cdef Py_ssize_t _LARGEST

cdef inline long long sum_at(const unsigned char *data, Py_ssize_t start, Py_ssize_t n) noexcept:
    """Return the ones' complement sum of `n` bytes, folded to 16 bits. Only the last swap depends on the byte order."""
    cdef unsigned long long total = 0
    cdef unsigned int first, second
    cdef unsigned short last = 0
    data += start
    while n >= 8:
        memcpy(&first, data, 4)
        memcpy(&second, data + 4, 4)
        total += <unsigned long long> first + second
        data += 8
        n -= 8
    while n >= 2:
        memcpy(&last, data, 2)
        total += last
        data += 2
        n -= 2
    if n:
        last = 0
        memcpy(&last, data, 1)
        total += last
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ntohs(<unsigned short> total)


cpdef int check_ip(Packet packet) except -1

cpdef int check_transport(Packet packet) except -1

cdef long long sum_of(bytes data, Py_ssize_t start, Py_ssize_t end) except -1

cdef long long folded(long long total) noexcept
