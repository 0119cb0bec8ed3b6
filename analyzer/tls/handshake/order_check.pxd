cimport cython

from analyzer.flows.flow cimport Flow
from analyzer.tls.handshake.authentication cimport Authentication
from analyzer.tls.handshake.parameters cimport Hellos, Parameters
from analyzer.tls.handshake.states cimport RoleState, SentMessages

cdef int CLIENT_HELLO, SERVER_HELLO, LONGEST_REMEMBERED, _CLIENT, _SERVER, _CONNECTED

@cython.locals(roles=tuple, client=RoleState, server=RoleState, parameters=Parameters, hellos=Hellos,
               authentication=Authentication, found=list, again=bint)
cpdef object check_order(object handshake)
cdef list _faults(
    object handshake, Parameters parameters, Hellos hellos, SentMessages client, SentMessages server, bint again
)
@cython.locals(flow=Flow)
cdef bint _begins(object handshake, bytearray sent) except -1
cdef tuple _schemes(Hellos hellos)
