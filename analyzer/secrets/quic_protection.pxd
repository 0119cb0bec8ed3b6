cimport cython

from analyzer.codec.byte_slices cimport slice_bytes

cdef int _LONG, _KEY_PHASE, _SAMPLE, _LONGEST_NUMBER, _FARTHEST_WINDOW, _MAX_UPDATES, _NUMBER_AT
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
    cdef public long long low
    cdef public long long n_packets
    cdef public bytearray nonce
    cdef public bytes secret
    cdef public object unseal
    cdef public object version

    cpdef PacketKeys updated(self)
    cpdef bytes decrypt(self, long long number, bytes ciphertext, bytearray header)


@cython.final
cdef class PacketDecryptor:
    cdef public long long attempts
    cdef public PacketKeys earlier
    cdef public bytearray header
    cdef public int hidden
    cdef public PacketKeys keys
    cdef public long long largest
    cdef public PacketKeys later
    cdef public HeaderMasks masks
    cdef public long long since
    cdef public Py_ssize_t tag
    cdef public bint updates

    cpdef OpenedPacket open(self, bytes data, Py_ssize_t start, Py_ssize_t number_at, Py_ssize_t end)
    cpdef bint fits(self, bytes data, Py_ssize_t number_at) except -1
    cdef OpenedPacket _open_short(self, long long number, int first, Py_ssize_t n_bytes, bytes ciphertext, bytearray header)
    cdef OpenedPacket _open_in(
        self, PacketKeys keys, long long number, int first, Py_ssize_t n_bytes, bytes ciphertext, bytearray header
    )


cdef class HeaderMasks:
    cpdef bytes mask(self, bytes sample)


cdef class AesMasks(HeaderMasks):
    cdef object _encrypt


cdef class ChaChaMasks(HeaderMasks):
    cdef bytes _key


cpdef long long nearest_number(long long largest, long long truncated, Py_ssize_t n_bytes) except? -1
