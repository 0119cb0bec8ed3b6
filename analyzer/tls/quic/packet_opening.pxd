cimport cython

from analyzer.secrets.quic_protection cimport OpenedPacket, PacketDecryptor
from analyzer.tls.decryption.decryption cimport Decryption
from analyzer.tls.decryption.read_state cimport ReadState
from analyzer.tls.decryption.session_keys cimport SessionKeys

cdef int _APPLICATION_LEVEL, _LOSS, _LOSS_BITS


@cython.final
cdef class Candidate:
    cdef public PacketDecryptor decryptor
    cdef public int number
    cdef public bytes secret
    cdef public object suite


@cython.final
cdef class PacketOpening:
    cdef public dict candidates
    cdef public tuple found
    cdef public list hidden
    cdef public dict lost
    cdef public list proven

    cpdef OpenedPacket open(
        self, Decryption decryption, object version, int level, int role, bytes data, Py_ssize_t number_at
    )
    cpdef bint has_secret(self, int level, int role) except -1
    cpdef void forget(self, list parameters) except *
    cpdef list look_up(self, SessionKeys keys, object version, int level, int role)
