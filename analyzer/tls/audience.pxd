cimport cython

from analyzer.streams.tcp cimport Connection
from analyzer.tls.detect cimport Sessions
from analyzer.tls.links cimport Links, Origin
from analyzer.tls.session cimport Session

cdef int BEGIN, CONFLICT, FINISH, KINDS, LACKS, LOST, PART, RECORD, SIDE, STOP, TYPE, VERSION, VIOLATION


@cython.no_gc
cdef class NotedLinks(Links):
    cdef public long long frame
    cdef public list notes
    cdef public Origin elsewhere


cdef class Audience:
    cdef public Sessions sessions
    cdef public NotedLinks links
    cdef public dict listening
    cdef public list ended
    cdef public long long held

    cpdef void hear(self, list tidings) except *
    cdef void begin(self, list tidings, Py_ssize_t pos) except *
    cpdef list take(self)
