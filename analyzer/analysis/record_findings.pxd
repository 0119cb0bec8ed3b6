cimport cython

from analyzer.tls.decryption.decryption cimport Decryption
from analyzer.tls.events cimport Alert, Finding
from analyzer.tls.session cimport Session

cdef int CLOSE_NOTIFY, FATAL
cdef tuple ROLES
cdef dict _CLOSED

@cython.locals(found=list)
cpdef list anomalies(Session session)
cdef bint _said_end(Session session, int role) except -1
