from analyzer.flows.flow cimport Flow
from analyzer.tls.events cimport Alert
from analyzer.tls.handshake.parameters cimport Hellos, Parameters
from analyzer.tls.handshake.states cimport RoleState
from analyzer.tls.session_log cimport SessionLog

cdef int FATAL

cpdef object is_completed(
    Flow flow, SessionLog log, Hellos hellos, Parameters parameters, RoleState client, RoleState server
)
cpdef bint is_whole(Flow flow, SessionLog log, Hellos hellos) except -1
