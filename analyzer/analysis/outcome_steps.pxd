from analyzer.flows.ending cimport Ending
from analyzer.flows.flow cimport Flow
from analyzer.tls.events cimport HandshakeMessage
from analyzer.tls.handshake.states cimport RoleState
from analyzer.tls.record.sealed_sizes cimport SealedSizes
from analyzer.tls.session cimport Session
from analyzer.tls.session_handshake cimport SessionHandshake

cdef int _ALERT_13, _DATA, _LONGEST_FLIGHT, _CLIENT_HELLO_TYPE, _SERVER_HELLO_TYPE, _FINISHED_TYPE


cpdef int step_reached(Session session) except -1
cdef bint _has_data(Session session) except -1
cpdef int client_flight(list lengths) except -1
cpdef dict durations(Session session)
cdef object _seconds(long long nanoseconds)
cpdef tuple spans(Session session)
cdef long long _span(long long begin, long long end) noexcept
cpdef tuple last_word(Session session)
