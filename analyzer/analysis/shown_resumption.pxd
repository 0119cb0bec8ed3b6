from analyzer.tls.events cimport HandshakeMessage
from analyzer.tls.session cimport Session
from analyzer.tls.session_handshake cimport SessionHandshake

cdef int SSL2
cdef tuple FULL

cpdef object is_resumed(Session session)
