cimport cython

from analyzer.capture.frame cimport Frame
from analyzer.capture.walker cimport Walker
from analyzer.packet.headers cimport read, read_ip
from analyzer.packet.packet cimport Packet
from analyzer.flows.tcp cimport Connections
from analyzer.tls.detect cimport Sessions

cdef int _TCP


cdef class Engine:
    cdef public object secrets
    cdef public list seen
    cdef public Py_ssize_t n_seen
    cdef public list trace
    cdef public Sessions sessions
    cdef public Connections connections
    cdef public object defragmenter
    cdef public list fragments
    cdef public Packet packet
    cdef public long long frames
    cdef public long long frame
    cdef public long long at

    cpdef void feed(self, Frame frame) except *
    cpdef bint step(self, Walker walker) except *
    cpdef void learn(self, list secrets) except *
    cpdef void run(self, Walker walker) except *
