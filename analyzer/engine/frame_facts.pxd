cimport cython

from analyzer.flows.flow cimport Flow
from analyzer.tls.session cimport Session


@cython.final
cdef class FrameFacts:
    cdef public object places
    cdef list _processes

    cpdef void tell(self, Session session) except *
