cimport cython

from analyzer.tls.handshake.hello_features cimport is_tls13
from analyzer.tls.handshake.parameters cimport Hellos, Parameters
from analyzer.tls.session cimport Session

cdef dict SIGNALS
cdef list NONE


@cython.locals(found=list)
cpdef list downgrades(Session session)
cdef tuple signals(tuple fingerprint_input)
