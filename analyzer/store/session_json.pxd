cimport cython

from analyzer.analysis.authenticity cimport authenticity
from analyzer.analysis.calm_outcome cimport calm_end
from analyzer.analysis.outcome_steps cimport spans
from analyzer.analysis.shown_certificates cimport shown_certificates
from analyzer.codec.byte_slices cimport slice_bytes
from analyzer.analysis.shown_resumption cimport is_resumed
from analyzer.flows.flow cimport Flow
from analyzer.store.certificate_records cimport certificate_record
from analyzer.store.clock cimport Clock, rfc3339
from analyzer.store.session_record cimport (
    alert_record,
    decryption_record,
    findings_record,
    gap_record,
    hello_fingerprints,
    message_record,
    server_fingerprint,
)
from analyzer.tls.decryption.decryption cimport Decryption
from analyzer.tls.events cimport Alert, Gap, HandshakeMessage, handshake_message
from analyzer.tls.handshake.parameters cimport Hellos, Parameters
from analyzer.tls.session cimport Session
from analyzer.tls.session_handshake cimport SessionHandshake
from analyzer.tls.session_log cimport SessionLog

cdef int REMEMBERED, LONGEST_REMEMBERED
cdef long long SECOND, SMALLEST_DECIMAL, LARGEST_EXACT
cdef tuple HEAD, FINGERPRINTS, TAIL, ZEROS
cdef dict PATHS, KNOWN_FACTS, ADDRESSES, NAMES, MESSAGES, ALERTS, CALM, CERTIFICATES, SHARED
cdef Clock QUOTED
cdef object address_text


cpdef bytes session_json(Session session, bint messages, object chains, bytes resumes=*, bint signatures=*, object holes=*)
cdef bytes quic_json(Session session)
cdef tuple outcome_json(Session session)
cdef str seconds_json(long long nanoseconds)
cdef bytes open_list(list findings, object holes)
cdef str head(Session session)
cdef str capture_json(Flow flow)
cdef str before_json(Flow flow)
cdef str inside_json(Flow flow)
cdef str address(bytes known)
cdef tuple facts(Session session, bint messages)
cdef str fingerprints(Session session)
cdef bytes name_json(bytes name)
cdef str message_json(HandshakeMessage message, bint fields)
cdef list message_kinds(str name)
@cython.locals(kind=tuple)
cdef str alert_json(Alert alert)
cdef bytes certificate_json(bytes der)
cdef bytes shared_json(dict value)
cpdef void keep(dict memory, object key, object value) except *
