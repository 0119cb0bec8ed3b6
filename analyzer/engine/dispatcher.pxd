from analyzer.codec.byte_slices cimport slice_bytes
from analyzer.engine.session_table cimport SessionTable
from analyzer.engine.tcp_stream cimport TcpStream
from analyzer.flows.connection cimport Connection
from analyzer.flows.listener cimport Listener
from analyzer.flows.sink cimport DatagramSink, Sink
from analyzer.flows.udp_flow cimport UdpFlow
from analyzer.packet.packet cimport Packet


cdef class Dispatcher(SessionTable):
    cdef public tuple datagram_protocols

    cpdef void feed_port(self, Packet packet, int link_type, long long frame, long long at) except *
    cpdef void close(self) except *
    cpdef void end_closed(self, long long at) except *
    cpdef void set_clock(self, long long before, long long after) except *
