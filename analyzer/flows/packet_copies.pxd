from analyzer.packet.packet cimport Packet

cdef long long _SLOTS, _WINDOW, _SOON, _SPREAD, _WORD, _CONSTANT
cdef int _CELLS, _TCP, _SYN, _SYN_FIN, _PLACE_BYTES, _FLOWS, _RECENT

cdef class PacketCopies:
    cdef public long long[::1] cells
    cdef public long long[::1] flows
    cdef public long long[::1] latest

    cpdef long long first_of(self, Packet packet, int interface, long long frame, long long at) except -1
    cdef bint comes_twice(self, Py_ssize_t flow, Py_ssize_t index, int flags) except -1

cdef long long ends_of(Packet packet) except -1
cdef long long place_of(Packet packet, int interface) except -1
