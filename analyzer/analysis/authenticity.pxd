from analyzer.analysis.shown_certificates cimport shown_certificates
from analyzer.tls.events cimport HandshakeMessage
from analyzer.tls.handshake.parameters cimport Parameters
from analyzer.tls.handshake.states cimport RoleState
from analyzer.tls.session cimport Session
from analyzer.tls.session_handshake cimport SessionHandshake

cdef int NONE, SERVER_KEY_EXCHANGE, SSL2
cdef dict RECORDS
cdef tuple HIDDEN, UNOPENED, MISSING, WRONG, UNREAD, UNSEEN, NOT_SEEN, UNSIGNED_CERTIFICATE

cpdef dict authenticity(Session session)
cdef str signature(Session session, int role, bint opened, list details)
cdef bint shows_no_signature(Session session, int role) except *
cdef bint proves(Session session, int role) except *
cpdef str unproved(Session session, int role)
cdef str unreadable_signature(Session session)
cdef str finished(Session session, int role, bint opened, list details)
