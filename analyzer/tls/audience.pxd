cimport cython

from analyzer.streams.tcp cimport Connection
from analyzer.tls.detect cimport Sessions
from analyzer.tls.links cimport Links, Origin
from analyzer.tls.session cimport Session
from analyzer.tls.tidings cimport TidingsReader

cdef int BEGIN, CONFLICT, FINISH, KINDS, LACKS, LOST, RECORD, SIDE, STOP, TURN, TYPE, VERSION, VIOLATION


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

    cpdef bint hear(self, TidingsReader tidings) except? False
    cdef void begin(self, TidingsReader tidings) except *
    cpdef list take(self)
