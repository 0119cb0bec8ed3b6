cimport cython

from analyzer.tls.handshake.exchange_rules cimport client_exchange, server_exchange, share_key
from analyzer.tls.handshake.parameters cimport Hellos, Parameters
from analyzer.tls.handshake.states cimport RoleState

cdef int CERTIFICATE_VERIFY, CLIENT_HELLO, CLIENT_KEY_EXCHANGE, SERVER_HELLO, SERVER_KEY_EXCHANGE, TLS_1_2
cdef int _CLIENT, _SERVER, _CONNECTED

@cython.locals(parameters=Parameters, hellos=Hellos, client=RoleState)
cpdef object check_exchange(object handshake)
@cython.locals(public=bytes, key=bytes, keys=tuple, group=int, number=int)
cdef object _check_shares(object handshake, Parameters parameters, Hellos hellos, bytearray sent)
cdef object _report(object handshake, int role, int number, list found)
