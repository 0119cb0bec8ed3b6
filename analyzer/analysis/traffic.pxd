from analyzer.analysis.datagram_kinds cimport kind_of
from analyzer.capture.frame cimport Frame
from analyzer.packet.packet cimport Packet


cdef int _TCP
cdef int _UDP
cdef int _FIRST_PACKETS
cdef int _ESP_PORT


cdef class Layers:
    cdef public int link
    cdef public int network
    cdef public int transport
    cdef public long long n_packets
    cdef public long long n_bytes


cdef class Flow:
    cdef public bytes key
    cdef public Flow peer
    cdef public Layers layers
    cdef public bint opened
    cdef public bint begun
    cdef public int kind
    cdef public long long n_packets
    cdef public long long n_bytes
    cdef public long long n_filled
    cdef public long long filled_bytes
    cdef public long long first
    cdef public long long first_frame
    cdef public long long last


cdef bint begins_record(Packet packet) except -1


cdef class Traffic:
    cdef public long long packets
    cdef public long long n_bytes
    cdef public long long tunnelled
    cdef public long long malformed
    cdef public long long uncounted
    cdef public long long unnamed
    cdef public long long sealed
    cdef public long long copies
    cdef public long long conversations
    cdef public long long held
    cdef public dict folded
    cdef public dict layers
    cdef public dict tcp
    cdef public dict udp
    cdef public set followed
    cdef public int link
    cdef public int network
    cdef public int transport
    cdef public Layers last_layers

    cpdef void count(self, Packet packet, Frame frame) except *
    cdef Layers find_layers(self, int link, int network, int transport)
    cdef Flow open(self, Packet packet, bytes key, Layers layers)
