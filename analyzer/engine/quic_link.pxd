from analyzer.tls.quic.quic_connection cimport QuicConnection


cdef class Link:
    cdef public int client
    cdef public QuicConnection connection
    cdef public list latest
    cdef public bytes path
