cimport cython

from analyzer.codec.cut cimport find_byte
from analyzer.flows.connection cimport Connection
from analyzer.flows.listener cimport Listener
from analyzer.flows.sink cimport Sink
from analyzer.tls.links cimport Links
from analyzer.tls.records cimport RecordReader, plausible
from analyzer.tls.session cimport Session
from analyzer.tls.session_sink cimport SessionSink

cdef int HANDSHAKE, HEADER, SCAN_LIMIT, MIN_HELLO, MIN_CIPHERTEXT, SPLIT


cpdef int hello_at(bytes data, Py_ssize_t pos, Py_ssize_t end) except? -2
cpdef int split_hello_at(bytes data, Py_ssize_t pos, Py_ssize_t end) except? -2
cpdef int ssl2_hello_at(bytes data, Py_ssize_t pos, Py_ssize_t end) except? -2
cpdef bint ciphertext_at(bytes data, Py_ssize_t pos, Py_ssize_t end) except *
cpdef int port(bytes key, Py_ssize_t index) except? -1


@cython.no_gc
cdef class TlsStream(Sink):
    cdef public Connection connection
    cdef public Sessions sessions
    cdef public SessionSink session
    cdef public int speaking
    cdef public list tails
    cdef public list early
    cdef public long long held
    cdef public long long scanned

    cdef void watch_for(self, Connection connection, Sessions sessions) except *
    cdef Py_ssize_t search(self, int side, bytes data, Py_ssize_t start, Py_ssize_t end, long long offset) except? -2
    cdef void weigh(self, long long kept) except *
    cdef void open(self, int client) except *
    cdef Py_ssize_t begin(self, int side, Py_ssize_t pos) except? -2


cdef class Sessions(Listener):
    cdef public long long count
    cdef public list ended
    cdef public object trace
    cdef public object secrets
    cdef public Links links
    cdef public bint fields
    cdef public object waiting

    cpdef SessionSink begin(self, int client, Connection connection)
    cpdef Session new(self, long long number, int client, Connection connection)
    cpdef void look(self, long long at) except *
    cpdef void close(self) except *
