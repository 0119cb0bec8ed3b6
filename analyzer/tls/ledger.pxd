cimport cython

from analyzer.tls.facts cimport Alert, Event, HandshakeMessage
from analyzer.tls.session_sink cimport SessionSink

cdef int MAX_ALERTS, MAX_GAPS, MAX_MESSAGES


@cython.no_gc
cdef class Ledger(SessionSink):
    cdef public int client
    cdef public list trace
    cdef public list messages
    cdef public list alerts
    cdef public list events
    cdef public list gaps
    cdef public list conflicts
    cdef public list findings
    cdef public list later_chains
    cdef public long long dropped

    cdef void list_nothing(self, int client, object trace) except *
    cpdef void add(self, HandshakeMessage message) except *
    cdef void note(self, Event event) except *
    cdef void add_alert(self, Alert alert) except *
    cdef void finding(self, str code, str severity, str detail, long long frame) except *
    cdef void recertify(self, int side, list listed, list first, long long frame) except *
    cdef void heartbeat(self, int side, bytes body, long long length, long long frame, long long at) except *
