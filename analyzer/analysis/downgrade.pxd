cimport cython

from analyzer.tls.events cimport Finding
from analyzer.tls.handshake.hello_features cimport is_tls13
from analyzer.tls.handshake.parameters cimport Hellos, Parameters
from analyzer.tls.session cimport Session

cdef int REMEMBERED
cdef dict SIGNALS
cdef int FALLBACK_SCSV, RENEGOTIATION_SCSV, RENEGOTIATION_INFO
cdef list NONE
cdef dict _COULD

@cython.locals(parameters=Parameters, hellos=Hellos, fingerprint_input=tuple, answer=tuple, found=list, version=int)
cpdef list downgrades(Session session)
cdef tuple signals(tuple fingerprint_input)
