from analyzer.tls.handshake.message_reader cimport MessageReader
from analyzer.tls.handshake.transcript cimport is_retry
from analyzer.tls.record.record cimport Record, RecordSink

cdef int HELLO, ANSWER, FLIGHT, EXCHANGE, _CLIENT, _SERVER
cdef int CLIENT_HELLO, HELLO_RETRY_REQUEST, SERVER_HELLO, SERVER_HELLO_DONE
cdef int BODY, CHANGE_CIPHER_SPEC, CONFLICT, FACT, HANDSHAKE, SSL2
cdef long long MAX_UNORDERED, MAX_UNORDERED_TOTAL, PENDING_COST


cdef class RecordOrders:
    cdef public long long size

    cpdef OrderedRecords begin(self, RecordSink sink, bint mid_stream)


cdef class OrderedRecords(RecordSink):
    cdef public RecordSink sink
    cdef public RecordOrders orders
    cdef public bint passes
    cdef public int turn
    cdef public bint changed
    cdef public bytes hello
    cdef public int early
    cdef public tuple readers
    cdef public tuple waiting
    cdef public long long n_arrived
    cdef public long long size

    cdef void order(self, Record record) except *
    cdef bint is_early(self) except *
    cdef void keep(self, Record record) except *
    cdef void deliver(self, Record record) except *
    cdef void look(self, Record record) except *
    cdef void release(self) except *
    cdef void let_go(self, Record record) except *
    cdef void give_up(self) except *
