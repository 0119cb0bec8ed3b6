cimport cython

from analyzer.flows.flow cimport Flow
from analyzer.tls.decryption.decryption cimport Decryption
from analyzer.tls.events cimport Finding, HandshakeMessage
from analyzer.tls.handshake.parameters cimport Hellos, Parameters
from analyzer.tls.handshake.states cimport RoleState
from analyzer.tls.session cimport Session
from analyzer.tls.session_handshake cimport SessionHandshake

cdef int REMEMBERED, CLIENT, SERVER, CERTIFICATE, LONGEST_REMEMBERED
cdef long long _LONG, _LARGE
cdef dict TRAITS


@cython.locals(found=list, listed=list)
cpdef list session_findings(Session session)
@cython.locals(kind=tuple, known=tuple, found=list)
cdef list trait_findings(Session session)
cdef list offer_traits(Session session)
cdef list agreement_traits(Session session, int port)
cdef list placed(Session session, str name, list traits)
cdef list self_signed_findings(Session session, bytes der)
cdef list unfit_findings(Session session, bytes der)
cdef list unrequested_findings(Session session, tuple types)
cdef list raw_key_findings(Session session, int role, bytes der)
cdef list signature_findings(Session session, int role, list listed, tuple accepted)
cdef list certificate_frames(Session session, int role)
