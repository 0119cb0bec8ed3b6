cimport cython

from analyzer.analysis.authenticity cimport authenticity
from analyzer.analysis.downgrade cimport downgrades
from analyzer.analysis.record_findings cimport anomalies, log_findings
from analyzer.analysis.session_findings cimport session_findings
from analyzer.analysis.shown_resumption cimport is_resumed
from analyzer.flows.flow cimport Flow
from analyzer.store.certificate_records cimport certificates_record, chain_record
from analyzer.store.clock cimport Clock
from analyzer.tls.decryption.decryption cimport Decryption
from analyzer.tls.events cimport Alert, Finding, Gap, HandshakeMessage
from analyzer.tls.handshake.parameters cimport Hellos, Parameters
from analyzer.tls.handshake.states cimport RoleState
from analyzer.tls.session cimport Session
from analyzer.tls.session_handshake cimport SessionHandshake
from analyzer.tls.session_log cimport SessionLog

cdef int REMEMBERED
cdef dict NOTHING_KNOWN, DECRYPTED, FINGERPRINTS, SERVER_FINGERPRINTS, UNDECRYPTED, MESSAGES, ALERTS
cdef tuple ROLES
cdef Clock CLOCK
cdef object address_text
cdef object VERSIONS, SUITES, GROUPS, LEVELS, DESCRIPTIONS


cpdef dict session_record(Session session, bint messages, object chains=*, bint signatures=*)
cpdef dict session_head(Session session)
cpdef dict gap_record(Gap gap)
cpdef dict endpoint_record(bytes key, int end)
cpdef str text(bytes name)
@cython.locals(record=dict)
cpdef dict message_record(HandshakeMessage message, bint fields)
cdef list message_kinds(str name)
@cython.locals(record=dict, kind=tuple)
cpdef dict alert_record(Alert alert)
@cython.locals(found=list)
cpdef list findings_record(Session session)
cpdef dict finding_record(Finding finding)
cdef dict data_finding_record(object finding)
@cython.locals(encrypted=bint, known=bint, record=dict)
cpdef dict decryption_record(Session session)
cpdef bint is_exposed(Session session) except -1
cpdef bint is_one_sided(Session session) except -1
cpdef list http_record(Session session)
cpdef list dns_record(Session session)
cpdef tuple hello_fingerprints(tuple fingerprint_input, str letter=*)
cpdef str server_fingerprint(tuple fingerprint_input)
