from analyzer.secrets.quic_protection cimport OpenedPacket
from analyzer.tls.quic.frames cimport FrameTaker, read_frames
from analyzer.tls.quic.stream_reassembly cimport Reassembly

cdef int _STREAM, _RESET, _STOP, _DATAGRAM, _EARLY, _APPLICATION


cdef class PacketContents(FrameTaker):
    cdef public long long at
    cdef public long long frame
    cdef public int level
    cdef public int role
    cdef public object session

    cpdef void read(self, OpenedPacket opened, int role, int level, long long frame, long long at) except *
    cdef void take_data(self, int kind, long long stream, long long offset, bytes data, bint end) except *
