cimport cython

from analyzer.tls.events cimport HandshakeMessage
from analyzer.tls.handshake.parameters cimport Hellos, Parameters
from analyzer.tls.handshake.states cimport RoleState

cdef int SERVER_HELLO, _CLIENT, _SERVER

@cython.locals(parameters=Parameters, hellos=Hellos, client=RoleState)
cpdef tuple terms(object handshake)
@cython.locals(parameters=Parameters, message=HandshakeMessage, frame="long long")
cpdef tuple resumed_terms(object handshake)
