from analyzer.application.exchange cimport ConversationLog
from analyzer.application.http1 cimport Http1
from analyzer.application.http1_fast_path cimport plain_request_line
from analyzer.tls.quic.stream_sink cimport StreamSink

cdef int CLIENT, SERVER
cdef dict _BY_ALPN


cdef class Conversation(StreamSink):
    cdef StreamSink _direct
    cdef ConversationLog _log
    cdef readonly list _held
    cdef readonly long long _n_held
    cdef readonly object _reader
    cdef object _streams
    cdef Http1 _http1
    cdef str _over

    cpdef void feed(self, int side, bytes data, long long frame, long long at) except *
    cpdef void close(self, long long at) except *
    cdef void _read_as(self, str kind) except *
