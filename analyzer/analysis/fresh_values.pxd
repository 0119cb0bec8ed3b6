from analyzer.tls.events cimport HandshakeMessage
from analyzer.tls.handshake.parameters cimport Hellos, Parameters
from analyzer.tls.session cimport Session
from analyzer.tls.session_handshake cimport SessionHandshake

cdef int CERTIFICATE, CLIENT_HELLO, CLIENT_KEY_EXCHANGE, COMPRESSED_CERTIFICATE, PRE_SHARED_KEY, SERVER_HELLO
cdef int EARLY_DATA, SERVER_KEY_EXCHANGE, SESSION_TICKET, MAX_TICKETS, SHORTEST_TICKET, LONGEST_VALUE, _SERVER

cdef tuple NO_EARLY_DATA

cpdef tuple fresh_values(Session session)
cdef tuple early_data(SessionHandshake handshake)
cdef tuple tickets(Hellos hellos, Parameters parameters, bytes server)
cdef bytes short(bytes value)
