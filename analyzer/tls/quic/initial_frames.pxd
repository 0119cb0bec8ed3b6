from analyzer.tls.quic.frames cimport FrameTaker, read_frames
from analyzer.tls.quic.packet_headers cimport LongHeader
from analyzer.tls.quic.stream_reassembly cimport Reassembly

cdef int AGAIN, INITIAL, _CLIENT, _SMALLEST_DATAGRAM, _ALERT, _HANDSHAKE_RECORD


cdef class InitialFrames(FrameTaker):
    cdef public bint again
    cdef public long long at
    cdef public object connection
    cdef public bint first
    cdef public bint follows
    cdef public long long frame
    cdef public object hello
    cdef public long long n_bytes
    cdef public list pieces
    cdef public int role
    cdef public long long size

    cdef void begin(self, int role, long long frame, long long at, bint follows, bint first) except *
    cdef bytes compare(self, bytes ready)


cpdef bint opens_connection(LongHeader header, bytes data, Py_ssize_t start) except -1


cdef class _FindsCrypto(FrameTaker):
    cdef public bint any
