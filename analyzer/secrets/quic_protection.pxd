cimport cython

cdef int _LONG, _KEY_PHASE, _SAMPLE, _LONGEST_NUMBER, _FARTHEST_WINDOW, _MAX_UPDATES
cdef long long _LARGEST_NUMBER


@cython.final
@cython.no_gc
cdef class OpenedPacket:
    cdef public int first
    cdef public int generation
    cdef public long long number
    cdef public bytes plaintext


@cython.final
cdef class PacketKeys:
    cdef public object aead
    cdef public PacketKeys following
    cdef public int generation
    cdef public str hash_name
    cdef public object iv
    cdef public object kind
    cdef public long long n_packets
    cdef public bytes secret
    cdef public object version

    cpdef PacketKeys updated(self)
    cpdef bytes decrypt(self, long long number, bytes ciphertext, bytes header)


@cython.final
cdef class PacketDecryptor:
    cdef public long long attempts
    cdef public PacketKeys earlier
    cdef public PacketKeys keys
    cdef public long long largest
    cdef public PacketKeys later
    cdef public object masks
    cdef public long long since
    cdef public Py_ssize_t tag
    cdef public bint updates

    cpdef OpenedPacket open(self, bytes data, Py_ssize_t start, Py_ssize_t number_at, Py_ssize_t end)
    cdef OpenedPacket _open_short(self, long long number, int first, Py_ssize_t n_bytes, bytes ciphertext, bytes header)
    cdef OpenedPacket _open_in(
        self, PacketKeys keys, long long number, int first, Py_ssize_t n_bytes, bytes ciphertext, bytes header
    )


cdef class AesMasks:
    cdef object _encrypt

    cpdef bytes mask(self, bytes sample)


cdef class ChaChaMasks:
    cdef bytes _key

    cpdef bytes mask(self, bytes sample)


cpdef long long nearest_number(long long largest, long long truncated, Py_ssize_t n_bytes) except? -1
