from analyzer.codec.byte_slices cimport slice_bytes
from analyzer.tls.quic.packet_headers cimport read_varint, varint_length

cdef long long _PADDING, _PING, _ACK, _ACK_ECN, _RESET_STREAM, _STOP_SENDING, _CRYPTO, _NEW_TOKEN
cdef long long _STREAM, _LAST_STREAM, _FIN, _HAS_LENGTH, _HAS_OFFSET
cdef long long _NEW_ID, _CHALLENGE, _RESPONSE
cdef long long _CLOSE, _CLOSE_APPLICATION, _HANDSHAKE_DONE, _RESET_STREAM_AT
cdef long long _DATAGRAM, _DATAGRAM_LENGTH, _MAX_STREAM_DATA, _LAST_BIT, _NO_LENGTH, _MAX_RANGES
cdef dict _N_NUMBERS


cdef class FrameTaker:
    cdef public long long kinds

    cpdef void take_ack(self, list ranges, object ecn) except *
    cpdef void take_crypto(self, long long offset, bytes data) except *
    cpdef void take_stream(self, long long stream, long long offset, bytes data, bint end) except *
    cpdef void take_reset(self, long long stream, long long code) except *
    cpdef void take_stop(self, long long stream, long long code) except *
    cpdef void take_limit(self, long long stream, long long maximum) except *
    cpdef void take_connection_id(self, long long number, bytes connection_id, bytes token) except *
    cpdef void take_path(self, bint answers) except *
    cpdef void take_close(self, long long code, bint application, bytes reason) except *
    cpdef void take_done(self) except *
    cpdef void take_datagram(self, bytes data) except *
    cpdef void take_token(self, bytes token) except *


cpdef str read_frames(bytes payload, FrameTaker taker)
cdef Py_ssize_t read_ack(bytes payload, Py_ssize_t pos, Py_ssize_t end, bint with_ecn, FrameTaker taker) except -3
cdef Py_ssize_t read_other(bytes payload, Py_ssize_t pos, Py_ssize_t end, long long kind, FrameTaker taker) except -3
