from analyzer.flows.connection cimport Connection
from analyzer.flows.sink cimport Sink


cdef class Listener:
    cdef public long long held

    cpdef Sink open(self, Connection connection)
