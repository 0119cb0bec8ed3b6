from analyzer.tls.handshake.states cimport RoleState
from analyzer.tls.session cimport Session
from analyzer.tls.session_handshake cimport SessionHandshake

cdef int _LISTED, _NONE, _PART, _HIDDEN, SSL2

cpdef int shown_certificates(Session session, int role) except -1
cdef bint shows_none(Session session, int role) except *
