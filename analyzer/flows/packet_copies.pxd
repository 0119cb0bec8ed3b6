from analyzer.packet.packet cimport Packet

cdef long long _SLOTS, _WINDOW, _SOON, _SPREAD, _WORD
cdef int _CELLS, _TCP, _SYN_FIN, _PLACE_BYTES

cdef class PacketCopies:
    cdef public long long[::1] cells

    cpdef long long first_of(self, Packet packet, int interface, long long frame, long long at) except -1

cdef long long ends_of(Packet packet) except -1
cdef long long place_of(Packet packet, int interface) except -1
