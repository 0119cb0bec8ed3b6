from analyzer.engine.quic_flows cimport QuicFlow, QuicFlows
from analyzer.engine.session_table cimport SessionTable
from analyzer.flows.sink cimport DatagramSink
from analyzer.flows.udp_flow cimport UdpFlow
from analyzer.tls.dtls.record_headers cimport begins_dtls

cdef int _FIRST, _END


cdef class DatagramFlows:
    cdef public object dtls
    cdef public QuicFlows quic

    cpdef void end_closed(self, long long at) except *


cdef class DatagramFlow(DatagramSink):
    cdef public object dtls
    cdef public UdpFlow flow
    cdef public DatagramFlows flows
    cdef public QuicFlow quic

    cdef bint is_dtls(self, bytes data, Py_ssize_t start, Py_ssize_t end) except -1
