from analyzer.engine.quic_link cimport Link
from analyzer.engine.session_table cimport SessionTable
from analyzer.flows.flow cimport Flow
from analyzer.flows.sink cimport DatagramSink
from analyzer.flows.udp_flow cimport UdpFlow
from analyzer.tls.quic.initial_frames cimport opens_connection
from analyzer.tls.quic.packet_headers cimport LongHeader, read_long
from analyzer.tls.quic.quic_connection cimport QuicConnection
from analyzer.tls.record.record cimport RecordSink

cdef int QUIC_MEMORY, MAX_ID, MAX_GUESSES, SHORTEST_PROOF, LATER_ATTEMPT
cdef int MAX_CONNECTIONS, MAX_EARLY_PACKETS, MAX_OPENING_ATTEMPTS, FIRST_DATAGRAMS, HANDSHAKE, INITIAL, RETRY, ZERO_RTT
cdef str GUESSED, UNANNOUNCED
cdef int NEGOTIATION, _LONG, _FIXED, _UDP


cdef class QuicFlows:
    cdef public dict by_id
    cdef public dict closing
    cdef public long long clock
    cdef public SessionTable dispatcher
    cdef public object moves
    cdef public long long n_open

    cpdef DatagramSink open(self, UdpFlow flow)
    cdef QuicConnection begin(self, UdpFlow flow, int side, LongHeader header, long long frame, long long at)
    cdef void end(self, QuicConnection connection, str reason) except *
    cdef void end_session(self, QuicConnection connection, str reason) except *
    cpdef void end_closed(self, long long at) except *


cdef class QuicFlow(DatagramSink):
    cdef public int attempts
    cdef public list early
    cdef public UdpFlow flow
    cdef public QuicFlows flows
    cdef public int guesses
    cdef public long long joined
    cdef public long long kept
    cdef public list links
    cdef public int looked
    cdef public long long n_bytes
    cdef public int shard

    cdef void take_long(
        self, int side, LongHeader header, bytes data, Py_ssize_t start, Py_ssize_t end, long long frame, long long at
    ) except *
    cdef Link link_of(self, int side, LongHeader header)
    cdef bint begins(self, LongHeader header, bytes data, Py_ssize_t start, Py_ssize_t end) except -1
    cdef Link begin(self, int side, LongHeader header, long long frame, long long at)
    cdef Link join(self, QuicConnection connection, int client, Py_ssize_t place=*)
    cdef void take_answer(
        self, Link other, LongHeader header, bytes data, Py_ssize_t start, Py_ssize_t end, long long frame, long long at
    ) except *
    cdef void leave(self, Link link, str reason) except *
    cdef void take_early(self, Link link) except *
    cdef void take_short(
        self, int side, bytes data, Py_ssize_t start, Py_ssize_t end, long long missing, long long frame, long long at
    ) except *
    cdef Link moved(self, int side, bytes data, Py_ssize_t start, Py_ssize_t end)
    cdef void guess(
        self, int side, bytes data, Py_ssize_t start, Py_ssize_t end, long long missing, long long frame, long long at
    ) except *
    cdef void update_held(self) except *
