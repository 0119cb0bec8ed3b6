cimport cython

from analyzer.tls.facts cimport Alert, HandshakeMessage
from analyzer.tls.session cimport Session, Side

cdef int REMEMBERED, LARGEST_REMEMBERED
cdef dict CERTIFICATES, FINGERPRINTS
cdef Clock CLOCK
cdef object VERSIONS, SUITES, GROUPS, LEVELS, DESCRIPTIONS


cdef class Clock:
    cdef public long long second
    cdef public str prefix

    cpdef str write(self, long long at)


cpdef dict session_record(Session session, bint messages, object chains=*)
cpdef dict certificate_record(bytes der)
cpdef dict message_record(HandshakeMessage message, int client, bint fields)
cpdef dict alert_record(Alert alert, int client)
