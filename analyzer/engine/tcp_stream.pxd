cimport cython

from analyzer.codec.byte_slices cimport find_byte, slice_bytes
from analyzer.engine.connection_end cimport note_end
from analyzer.engine.detection cimport hello_at, is_closing, is_plain_alert, late_record_at, ssl2_hello_at
from analyzer.engine.session_table cimport SessionTable
from analyzer.flows.connection cimport Connection
from analyzer.flows.flow cimport Flow
from analyzer.flows.sink cimport Sink
from analyzer.tls.record.record_reader cimport RecordReader, plausible
from analyzer.tls.record.record cimport RecordSink, conflict, fact, gap
from analyzer.tls.session cimport Session
from analyzer.x509.revocation_over_http cimport RevocationWatch, begins_request, begins_response

cdef int WATCHES_FAILURES, WATCHES_HTTPS, WATCHES_REVOCATION, HANDSHAKE, HEADER, OF_EITHER, SCAN_LIMIT, MAX_EARLY, CLIENT_HELLO
cdef int TLS_MEMORY, LOST, SSL2_SERVER_HELLO, _TCP, BOTH, _RANDOM, _RANDOM_END
cdef tuple NOWHERE, NO_HELLO


@cython.no_gc
cdef class TcpStream(Sink):
    cdef public Connection connection
    cdef public SessionTable dispatcher
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
    cdef public object preface
    cdef public int closing
    cdef public tuple place
    cdef public tuple hello

    cdef void feed_tls(
        self, int side, bytes data, Py_ssize_t start, Py_ssize_t end, long long offset, long long frame, long long at
    ) except *
    cdef void feed_watch(
        self, int side, bytes data, Py_ssize_t start, Py_ssize_t end, long long frame, long long at
    ) except *
    cdef Py_ssize_t search(self, int side, bytes data, Py_ssize_t start, Py_ssize_t end, long long offset) except? -2
    cdef void keep_before(self, int side, bytes data, Py_ssize_t start, Py_ssize_t end, long long frame) except *
    cdef void begin_again(self, long long frame, long long at) except *
    cdef void end_session(self, str reason, long long frame, long long at) except *
    cdef void enter(self, bytes random) except *
    cdef void update_held(self) except *
    cdef void open(self, int client, bint mid_stream) except *
    cdef Py_ssize_t begin(self, int side, Py_ssize_t pos) except? -2
