cimport cython

from analyzer.packet.packet cimport Packet
from analyzer.flows.connection cimport moved
from analyzer.flows.listener cimport Listener
from analyzer.flows.sink cimport DatagramSink
from analyzer.flows.udp_flow cimport UdpFlow, UdpSide

# Constants that are used for every packet. They are C variables, which are not visible from Python.
cdef int RECENT
cdef long long HELD_TOTAL, SWEEP_PACKETS, UDP_FLOWS, UDP_IDLE


@cython.final
cdef class UdpFlows:
    cdef public Listener listener
    cdef public dict sides
    cdef public list recent
    cdef public long long n_open
    cdef public long long evicted
    cdef public long long n_since_sweep

    cpdef void feed(self, Packet packet, long long frame, long long at) except *
    cpdef void tick(self, long long at) except *
    cpdef void set_clock(self, long long before, long long after) except *
    cpdef void close(self, long long frame, long long at) except *
    cdef UdpSide find(self, Packet packet)
    cdef UdpSide open(self, Packet packet, long long frame, long long at)
    cdef list all_open(self)
    cdef void evict(self) except *
    cdef void end(self, UdpFlow flow, str reason) except *
