from analyzer.tls.events cimport HandshakeMessage
from analyzer.tls.handshake.parameters cimport Hellos, Parameters
from analyzer.tls.handshake.states cimport RoleState

cpdef str resumption_kind(object messages, Hellos hellos, Parameters parameters, RoleState client, RoleState server)
