from analyzer.codec.byte_slices cimport slice_bytes
from analyzer.flows.flow cimport Flow
from analyzer.packet.ecn cimport codepoint_before
from analyzer.secrets.quic_protection cimport OpenedPacket, PacketDecryptor
from analyzer.tls.quic.known_ids cimport ConnectionIds
from analyzer.tls.quic.frames cimport read_frames
from analyzer.tls.quic.initial_frames cimport InitialFrames
from analyzer.tls.quic.packet_headers cimport LongHeader
from analyzer.tls.quic.stream_reassembly cimport Reassembly
from analyzer.tls.quic.transport_facts cimport TransportFacts
from analyzer.tls.record.record cimport Record, RecordSink, fact, gap

cdef int NOTHING, MAX_KEYS, MAX_UNANSWERED, MAX_LISTED, MAX_DOUBTFUL, SHORTEST_PROOF, TLS_1_2
cdef str UNANNOUNCED, GUESSED
cdef int UNCOUNTED, VERSION_BITS
cdef int EARLY_LEVEL, HANDSHAKE_LEVEL, APPLICATION_LEVEL
cdef int _PREFERRED_ADDRESS, _RESET_TOKEN_PARAMETER, _CLIENT, _SERVER, _APPLICATION_DATA, _HANDSHAKE_RECORD
cdef dict _LEVELS


cdef class QuicConnection:
    cdef public object answers
    cdef public bint closing
    cdef public tuple crypto
    cdef public TransportFacts facts
    cdef public Flow flow
    cdef public list flows
    cdef public InitialFrames frames
    cdef public dict keys
    cdef public ConnectionIds known
    cdef public long long last_at
    cdef public long long last_frame
    cdef public bytes path
    cdef public bint proved
    cdef public Record record
    cdef public object session
    cdef public int shard
    cdef public RecordSink sink
    cdef public list unanswered
    cdef public list void

    cpdef tuple add_keys(self, object version, bytes connection_id)
    cpdef void add_id(self, int role, bytes connection_id, bint listed=*) except *
    cpdef void learn(self, int role, bytes connection_id, bytes token) except *
    cpdef void take_parameters(self) except *
    cpdef bint is_reset(self, int role, Record record) except -1
    cpdef bint take_initial(
        self, int role, LongHeader header, bytes data, Py_ssize_t start, Py_ssize_t end, long long frame, long long at
    ) except -1
    cdef bint may_follow(self, int role, LongHeader header) except -1
    cdef void take_answer(
        self, bytes source, object opens, long long number, list pieces, long long frame, long long at
    ) except *
    cdef list settle(self)
    cdef void pass_on_answer(self, object one) except *
    cpdef void take_retry(self, LongHeader header, bytes packet, long long frame, long long at) except *
    cpdef void take_negotiation(self, LongHeader header, bytes data, long long frame, long long at) except *
    cpdef void take_protected(
        self, int role, LongHeader header, bytes data, Py_ssize_t start, Py_ssize_t end, long long frame, long long at
    ) except *
    cpdef void take_short(
        self, int role, bytes data, Py_ssize_t start, Py_ssize_t number_at, Py_ssize_t end, Py_ssize_t missing,
        str problem, long long frame, long long at
    ) except *
    cdef void pass_on(
        self, int role, int level, long long version, bytes data, Py_ssize_t start, Py_ssize_t number_at, Py_ssize_t stop,
        Py_ssize_t end, str problem, long long frame, long long at
    ) except *
    cdef Record made(self, int role, int content_type, bytes body, long long frame, long long at)
    cpdef void tell(self, int role, int content_type, bytes body, long long frame, long long at) except *
    cdef void deliver(self, Record record) except *
    cpdef void release(self) except *
    cpdef void finish(self, long long frame, long long at) except *
    cdef void skip_all(self, int role, long long frame, long long at) except *
    cpdef void skip(self, int role, long long frame, long long at) except *
    cdef void note(self, long long frame, long long at) except *
