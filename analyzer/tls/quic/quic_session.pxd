from analyzer.secrets.quic_protection cimport OpenedPacket, PacketDecryptor
from analyzer.tls.decryption.decryption cimport Decryption
from analyzer.tls.establishment cimport is_completed
from analyzer.tls.events cimport Alert, record_event
from analyzer.tls.handshake.states cimport RoleState
from analyzer.tls.quic.packet_contents cimport PacketContents
from analyzer.tls.quic.packet_opening cimport PacketOpening
from analyzer.tls.quic.stream_data cimport StreamData
from analyzer.tls.quic.transport_facts cimport Sent, TransportFacts
from analyzer.tls.record.record cimport Record
from analyzer.tls.session cimport Session

cdef int AGAIN, ALERT, APPLICATION_DATA, HANDSHAKE, FACT, GAP, BODY, NOTHING, MAX_HELD
cdef int MAX_STRAYS_IN_A_ROW, TLS_1_3, CRYPTO_ERRORS
cdef str GUESSED
cdef int UNCOUNTED, VERSION_BITS
cdef long long VERSION_MASK
cdef int _CLIENT, _CONNECTED, _EARLY_LEVEL, _HANDSHAKE_LEVEL, _APPLICATION_LEVEL


cdef class QuicSession(Session):
    cdef public bint accepts_early
    cdef public object connection
    cdef public PacketContents contents
    cdef public object crypto
    cdef public list doubtful
    cdef public list held
    cdef public PacketOpening opening
    cdef public list strays
    cdef public StreamData streams

    cpdef void take_handshake(self, int role, bytes data, long long frame, long long at, int level) except *
    cpdef void take_close(self, object close) except *
    cpdef void review_close(self, int role) except *
    cdef void take_extensions(self) except *
    cdef bint is_ready(self, int level) except -1
    cpdef void release(self, long long frame, long long at) except *
    cdef void take_protected(self, Record record) except *
    cdef void take_guessed(self, Record record) except *
    cdef void count_sealed(self, RoleState sender, Record record) except *
    cdef void emit_packet(self, Record record, OpenedPacket opened) except *
    cdef void open_packet(self, Record record) except *
    cdef void judge_failure(self, RoleState sender, Record record) except *
    cdef void lose(self, Record record, str reason, str detail) except *
    cdef void count_strays(self, int place) except *
    cdef void count_lost(self) except *
    cdef void fail(self, RoleState sender, Record record, str reason, str detail) except *
    cdef void take_found(self) except *
