from analyzer.analysis.outcome_steps cimport durations, step_reached
from analyzer.flows.ending cimport Ending
from analyzer.flows.flow cimport Flow
from analyzer.tls.events cimport Alert
from analyzer.tls.handshake.parameters cimport Parameters
from analyzer.tls.record.sealed_sizes cimport SealedSizes
from analyzer.tls.session cimport Session
from analyzer.tls.session_handshake cimport SessionHandshake
from analyzer.tls.session_log cimport SessionLog


cpdef object calm_outcome(Session session)
cpdef tuple calm_end(Session session)
