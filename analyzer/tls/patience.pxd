from analyzer.tls.records cimport RecordReader, RecordSink
from analyzer.tls.session cimport Session

cdef int APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE
cdef int CLIENT_HELLO, SSL2, RANDOM_BEGINS, RANDOM_ENDS, RECORD, VIOLATION, LOST
cdef long long LONGEST_WAIT, MOST_ENDED, MOST_WAITING, MOST_WAITING_IN_ALL, WAITING_COST


cdef class Patience(RecordSink):
    cdef public Session session
    cdef public Waiting waiting
    cdef public list held
    cdef public long long size
    cdef public bytes hello
    cdef public bytes random
    cdef public long long tried
    cdef public bint encrypted
    cdef public bint gone
    cdef public bint over
    cdef public tuple ended

    cdef void greet(self, int version, bytes body) except *
    cdef void hold(self, tuple what, Py_ssize_t n_bytes) except *
    cpdef bint ready(self) except *
    cdef void release(self) except *
    cpdef void give_up(self) except *
    cdef void replay(self) except *
    cpdef bint finish(self, str reason, long long frame, long long at) except *
    cpdef Session end(self)


cdef class Waiting:
    cdef public object secrets
    cdef public long long size
    cdef public long long seen
    cdef public dict holders
    cdef public dict named
    cdef public dict parked
    cdef public list ended

    cpdef void begin(self, Session session) except *
    cpdef void name(self, Patience patience) except *
    cpdef void park(self, Patience patience) except *
    cpdef void forget(self, Patience patience) except *
    cpdef void wake(self) except *
    cpdef void relieve(self) except *
    cpdef list look(self, long long at)
    cdef list take(self)
    cpdef list close(self)
