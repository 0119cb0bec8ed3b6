from analyzer.tls.quic.packet_headers cimport LongHeader
from analyzer.tls.quic.quic_connection cimport QuicConnection

cdef int HANDSHAKE, INITIAL, SHORTEST_PROOF
cdef long long LIVES


cdef class Link:
    cdef public int client
    cdef public QuicConnection connection
    cdef public list latest
    cdef public long long order
    cdef public bytes path


cpdef Link named_link(list links, int side, LongHeader header)
cpdef bint is_taken(list links, int client, bytes source, long long at) except -1
