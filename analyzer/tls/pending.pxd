from analyzer.secrets.keylog cimport KeyLog
from analyzer.tls.record.record cimport Record, RecordSink
from analyzer.tls.session cimport Session

cdef int APPLICATION_DATA, BODY, CHANGE_CIPHER_SPEC, HANDSHAKE, CLIENT_HELLO, SSL2, _RANDOM_BEGINS, _RANDOM_ENDS, _CLIENT
cdef int _DTLS, _FRAGMENT_BEGINS, _FRAGMENT_ENDS
cdef long long MAX_PENDING, MAX_PENDING_ENDED, MAX_PENDING_OPEN, MAX_PENDING_TIME, MAX_PENDING_TOTAL, PENDING_COST, NEVER
cdef long long PATIENCE, PROMPT_WAIT


cdef class PendingSession(RecordSink):
    cdef public Session session
    cdef public PendingSessions store
    cdef public list queue
    cdef public long long size
    cdef public bytes hello
    cdef public bytes random
    cdef public long long tried
    cdef public bint encrypted
    cdef public bint evicted
    cdef public bint passes_through
    cdef public long long since
    cdef public tuple ended

    cdef void match(self, Record record) except *
    cdef void keep(self, Record record) except *
    cpdef bint ready(self) except *
    cpdef void evict(self) except *
    cpdef void resume(self) except *
    cpdef Session end(self)


cdef class PendingSessions:
    cdef public object material
    cdef public long long size
    cdef public long long seen
    cdef public long long at
    cdef public long long due
    cdef public long long due_open
    cdef public long long longest_wait
    cdef public long long longest_parked_wait
    cdef public long long prompt_wait
    cdef public long long patient_until
    cdef public bint known
    cdef public dict gone
    cdef public long long n_late
    cdef public dict waiting
    cdef public dict named
    cdef public dict parked
    cdef public list ended

    cpdef PendingSession begin(self, Session session)
    cpdef void name(self, PendingSession pending) except *
    cpdef void park(self, PendingSession pending) except *
    cpdef void forget(self, PendingSession pending) except *
    cdef void note_in_time(self) except *
    cdef void note_late(self) except *
    cdef void give_up(self, PendingSession pending) except *
    cpdef void match(self) except *
    cpdef void evict(self) except *
    cpdef list tick(self, long long at)
    cpdef void set_clock(self, long long forward) except *
    cdef void let_open_go(self, long long at) except *
    cdef list take(self)
    cpdef list close(self)
