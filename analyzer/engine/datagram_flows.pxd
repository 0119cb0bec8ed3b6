from analyzer.engine.quic_flows cimport QuicFlow, QuicFlows
from analyzer.engine.session_table cimport SessionTable
from analyzer.flows.sink cimport DatagramSink
from analyzer.flows.udp_flow cimport UdpFlow
from analyzer.tls.dtls.record_headers cimport begins_dtls

cdef int _FIRST, _END, _LAST_CODE, _SHORTEST


cdef class DatagramFlows:
    cdef public object dtls
    cdef public object eap
    cdef public QuicFlows quic

    cpdef void end_closed(self, long long at) except *


cdef class DatagramFlow(DatagramSink):
    cdef public object dtls
    cdef public UdpFlow flow
    cdef public DatagramFlows flows
    cdef public QuicFlow quic

    cdef bint is_radius(self, bytes data, Py_ssize_t start, Py_ssize_t end) except -1
    cdef void take_radius(self, int side, bytes data, long long frame, long long at) except *
    cdef bint is_dtls(self, bytes data, Py_ssize_t start, Py_ssize_t end) except -1
