from analyzer.engine.session_table cimport SessionTable
from analyzer.engine.tcp_stream cimport TcpStream
from analyzer.flows.connection cimport Connection
from analyzer.flows.listener cimport Listener
from analyzer.flows.sink cimport DatagramSink, Sink
from analyzer.flows.udp_flow cimport UdpFlow


cdef class Dispatcher(SessionTable):
    cdef public tuple datagram_protocols

    cpdef void end_closed(self, long long at) except *
