from analyzer.secrets.quic_protection cimport OpenedPacket
from analyzer.tls.quic.frames cimport FrameTaker, read_frames
from analyzer.tls.quic.stream_data cimport StreamData
from analyzer.tls.quic.stream_reassembly cimport Reassembly
from analyzer.tls.quic.transport_facts cimport TransportFacts

cdef long long _NOT_IN_EARLY_DATA, _IN_HANDSHAKE, _NOT_OF_CLIENTS
cdef int _STREAM, _RESET, _STOP, _DATAGRAM, _EARLY, _APPLICATION


cdef class PacketContents(FrameTaker):
    cdef public long long at
    cdef public long long counted_at
    cdef public long long counted_frame
    cdef public TransportFacts facts
    cdef public long long frame
    cdef public int level
    cdef public bytes path
    cdef public int role
    cdef public object session
    cdef public StreamData streams

    cpdef void count(self, long long frame, long long at) except *
    cpdef void read(self, OpenedPacket opened, int role, int level, long long frame, long long at) except *
    cdef void release(self) except *
    cdef void note_forbidden(self, long long kinds, long long number) except *
    cdef void take_data(self, int kind, long long stream, long long offset, bytes data, bint end) except *
