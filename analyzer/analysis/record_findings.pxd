cimport cython

from analyzer.flows.flow cimport Flow
from analyzer.tls.decryption.decryption cimport Decryption
from analyzer.tls.events cimport Alert, Finding, Gap, HandshakeMessage
from analyzer.tls.session cimport Session

cdef int CLOSE_NOTIFY, FATAL, LEAST_RESENT, MAX_FRAMES, MAX_GAPS
cdef tuple ROLES
cdef dict _CLOSED
cdef object DESCRIPTIONS

@cython.locals(found=list)
cpdef list anomalies(Session session)
@cython.locals(found=list, gaps=list, frames=list)
cpdef list log_findings(Session session)
@cython.locals(role=int)
cpdef void add_delivery(list found, Flow flow) except *
cdef bint _sent_so(Session session, int role) except -1
cdef bint _ended_properly(Session session, int role) except -1
