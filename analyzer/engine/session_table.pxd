from analyzer.analysis.repetitions cimport Repetitions
from analyzer.engine.frame_facts cimport FrameFacts
from analyzer.engine.open_sessions cimport OpenSessions
from analyzer.flows.connection cimport Connection
from analyzer.flows.flow cimport Flow
from analyzer.flows.listener cimport Listener
from analyzer.tls.events cimport SessionEnded
from analyzer.tls.handshake.resumption cimport Resumptions
from analyzer.tls.pending cimport PendingSessions
from analyzer.tls.record.record cimport RecordSink
from analyzer.tls.record_order cimport RecordOrders
from analyzer.tls.session cimport Session

cdef long long SESSION_COST, MERGE_COST, MERGE_COST_DECRYPTED


cdef class SessionTable(Listener):
    cdef public list events
    cdef public object material
    cdef public Resumptions resumptions
    cdef public Repetitions repetitions
    cdef public bint detailed
    cdef public bint places
    cdef public bint keeps_fields
    cdef public int watches
    cdef public PendingSessions pending
    cdef public long long count
    cdef public long long steps
    cdef public int shard
    cdef public int shards
    cdef public list loads
    cdef public FrameFacts frames
    cdef public OpenSessions opened
    cdef public bint announces
    cdef public RecordOrders orders

    cpdef void share(self, int shard, int shards) except *
    cpdef int assign(self) except -1
    cpdef Session begin(self, Flow flow)
    cpdef object begin_over(self, object kind, Flow flow)
    cdef void announce(self, Session session, list events) except *
    cpdef RecordSink queue(self, Session session)
    cpdef RecordSink wait(self, Session session)
    cpdef void end(self, Session session) except *
    cpdef void end_without_tls(self, Connection connection, object preface, bint lossy) except *
    cpdef void tick(self, long long at) except *
    cpdef void close(self) except *
