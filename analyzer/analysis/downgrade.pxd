cimport cython

from analyzer.tls.facts cimport Finding, HandshakeMessage
from analyzer.tls.learn cimport is_tls13
from analyzer.tls.session cimport Session

cdef int REMEMBERED
cdef dict SIGNALS
cdef int FALLBACK_SCSV, RENEGOTIATION_SCSV, RENEGOTIATION_INFO
cdef list NONE
cdef dict _COULD

@cython.locals(shape=tuple, answer=tuple, found=list, version=int)
cpdef list downgrades(Session session)
cdef tuple signals(tuple shape)
