from analyzer.flows.connection cimport Connection
from analyzer.flows.sink cimport DatagramSink, Sink
from analyzer.flows.udp_flow cimport UdpFlow


cdef class Listener:
    cdef public long long held

    cpdef Sink open(self, Connection connection)
    cpdef DatagramSink open_datagrams(self, UdpFlow flow)
