cimport cython
from analyzer.packet.packet cimport Packet

cdef int _IPV4, _IPV6

cpdef int enter(Packet packet, bytes data, int protocol) except -2

cpdef int enter_udp(Packet packet, bytes data) except -2
