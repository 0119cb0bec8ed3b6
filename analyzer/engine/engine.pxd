from analyzer.capture.frame cimport Frame
from analyzer.capture.frame_reader cimport FrameReader
from analyzer.engine.dispatcher cimport Dispatcher
from analyzer.flows.packet_copies cimport PacketCopies
from analyzer.flows.tcp cimport Connections
from analyzer.flows.udp cimport UdpFlows
from analyzer.packet.headers cimport read, read_ip
from analyzer.packet.packet cimport Packet

cdef int _APP_TRAILER, _LONGEST_APP_TRAILER, _ICMP, _ICMPV6, _TCP, _UDP, _PORT_CONTROL, _BEFORE_ROAMING, _CAPWAP


cdef class Engine:
    cdef public object material
    cdef public list seen
    cdef public Py_ssize_t n_known_secrets
    cdef public Dispatcher dispatcher
    cdef public Connections connections
    cdef public UdpFlows datagrams
    cdef public bint follows_datagrams
    cdef public object defragmenter
    cdef public PacketCopies copies
    cdef public object wireless
    cdef public list fragments
    cdef public object processes
    cdef public Packet packet
    cdef public long long frames
    cdef public long long frame
    cdef public long long at

    cpdef void feed(self, Frame frame) except *
    cdef void dispatch(self, Frame frame) except *
    cdef bint join_capwap(self, Frame frame) except -1
    cpdef bint step(self, FrameReader frame_reader) except *
    cpdef void add_processes(self, object processes) except *
    cpdef void add_secrets(self, list secrets) except *
    cpdef void run(self, FrameReader frame_reader) except *
    cpdef void tick(self, long long at) except *
    cpdef void set_clock(self, long long before, long long after) except *
    cpdef list take(self)
    cpdef Py_ssize_t first_sequence(self, bytes key) except? -9
