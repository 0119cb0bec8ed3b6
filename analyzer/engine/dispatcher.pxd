cimport cython

from analyzer.analysis.repetitions cimport Repetitions
from analyzer.codec.byte_slices cimport find_byte, slice_bytes
from analyzer.engine.detection cimport ciphertext_at, hello_at, ssl2_hello_at
from analyzer.flows.connection cimport Connection
from analyzer.flows.flow cimport Flow
from analyzer.flows.listener cimport Listener
from analyzer.flows.sink cimport DatagramSink, Sink
from analyzer.flows.udp_flow cimport UdpFlow
from analyzer.tls.events cimport SessionEnded
from analyzer.tls.pending cimport PendingSessions
from analyzer.tls.handshake.resumption cimport Resumptions
from analyzer.tls.record.record_reader cimport RecordReader, plausible
from analyzer.tls.record.record cimport RecordSink, conflict, gap
from analyzer.tls.record_order cimport RecordOrders
from analyzer.tls.session cimport Session
from analyzer.x509.revocation_over_http cimport RevocationWatch, begins_request, begins_response

cdef long long SESSION_COST, MERGE_COST, MERGE_COST_DECRYPTED
cdef int WATCHES_HTTPS, WATCHES_REVOCATION, HANDSHAKE, HEADER, SCAN_LIMIT, MAX_EARLY, CLIENT_HELLO, SSL2_SERVER_HELLO, _TCP


@cython.no_gc
cdef class TcpStream(Sink):
    cdef public Connection connection
    cdef public Dispatcher dispatcher
    cdef public int client
    cdef public Session session
    cdef public RecordSink sink
    cdef public tuple readers
    cdef public int tls_begun
    cdef public list tails
    cdef public list early
    cdef public long long kept
    cdef public long long scanned
    cdef public RevocationWatch watch
    cdef public bint begun
    cdef public object other
    cdef public int shard

    cdef void feed_tls(
        self, int side, bytes data, Py_ssize_t start, Py_ssize_t end, long long offset, long long frame, long long at
    ) except *
    cdef void feed_watch(
        self, int side, bytes data, Py_ssize_t start, Py_ssize_t end, long long frame, long long at
    ) except *
    cdef Py_ssize_t search(self, int side, bytes data, Py_ssize_t start, Py_ssize_t end, long long offset) except? -2
    cdef void update_held(self) except *
    cdef void open(self, int client, bint mid_stream) except *
    cdef Py_ssize_t begin(self, int side, Py_ssize_t pos) except? -2


cdef class Dispatcher(Listener):
    cdef public list events
    cdef public object material
    cdef public Resumptions resumptions
    cdef public Repetitions repetitions
    cdef public bint detailed
    cdef public bint places
    cdef public bint keeps_fields
    cdef public int watches
    cdef public tuple datagram_protocols
    cdef public PendingSessions pending
    cdef public long long count
    cdef public long long steps
    cdef public int shard
    cdef public int shards
    cdef public list loads
    cdef public list processes
    cdef public tuple numbers
    cdef public bint announces
    cdef public RecordOrders orders

    cpdef void share(self, int shard, int shards) except *
    cdef int assign(self) except -1
    cpdef Session begin(self, Flow flow)
    cpdef RecordSink queue(self, Session session)
    cpdef void end(self, Session session) except *
    cpdef void tick(self, long long at) except *
    cpdef void close(self) except *
