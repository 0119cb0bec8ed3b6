cimport cython

from analyzer.tls.events cimport Alert, Conflict, Event, Finding, Gap, HandshakeMessage, RecordRead, handshake_message
from analyzer.tls.record.record cimport Record

cdef int CLIENT_HELLO, FINISHED, HELLO_RETRY_REQUEST, SERVER_HELLO, MAX_ALERTS, MAX_GAPS, MAX_MESSAGES, _CLIENT


@cython.no_gc
@cython.final
cdef class SessionLog:
    cdef public long long session
    cdef public int version
    cdef public list events
    cdef public bint places
    cdef public list messages
    cdef public list alerts
    cdef public list gaps
    cdef public list conflicts
    cdef public list findings
    cdef public list certificate_changes
    cdef public dict forged
    cdef public long long dropped
    cdef public bint doubtful
    cdef public list repeats

    cpdef void emit(self, Event event) except *
    cpdef void emit_record(self, Record record) except *
    cpdef void add_alert(self, Alert alert) except *
    cpdef void disbelieve(self, HandshakeMessage message) except *
    cpdef bint disbelieve_earlier(self) except -1
    cpdef void report_alert(self, int role, long long frame) except *
    cpdef void disbelieve_alert(self, int role, long long frame) except *
    cpdef void report_unbound(self, object unbound, long long frame) except *
    cpdef void report_plaintext(self, int role, int content_type, bytes body, long long length, long long frame) except *
    cdef void report_forged(self, int role, str kind, str detail, long long frame) except *
    cpdef void add_hidden_finished(self, Record record) except *
    cpdef void add_finding(self, str code, str severity, str detail, long long frame) except *
    cpdef void add_gap(self, Gap gap) except *
    cpdef void add_conflict(self, int role, long long offset, bytes first, bytes second, long long frame) except *
    cpdef void add_certificate_change(self, int role, list listed, list first, long long frame) except *
    cdef bint full(self) except -1
    cpdef void in_order(self) except *
    cpdef void check_times(self, long long start, long long first, long long end, long long last) except *
    cpdef void close(self, str closed, long long limited, long long frame) except *
