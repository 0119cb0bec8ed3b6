from analyzer.packet.packet cimport Packet

cdef int _NEITHER, _QUIC, _DTLS

cpdef int kind_of(Packet packet) except -1
