from analyzer.tls.handshake.states cimport RoleState
from analyzer.tls.session cimport Session
from analyzer.tls.session_handshake cimport SessionHandshake

cdef int _LISTED, _NONE, _PART, _HIDDEN, POST_HANDSHAKE_AUTH, SSL2, UNKNOWN

cpdef int shown_certificates(Session session, int role) except -1
cdef bint shows_none(Session session, int role) except *
cdef bint is_asked(SessionHandshake handshake) except *
cdef bint may_be_asked(Session session) except *
