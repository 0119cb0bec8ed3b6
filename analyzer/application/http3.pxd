from analyzer.application.exchange cimport ConversationLog
from analyzer.application.http3_stream cimport MessageStream, StreamDirection
from analyzer.tls.quic.stream_sink cimport StreamSink


cdef class Http3(StreamSink):
    cdef tuple _blocked
    cdef dict _critical
    cdef list _dropped
    cdef long long _frame
    cdef long long _n_blocked
    cdef list _n_held
    cdef dict _pushes
    cdef dict _streams
    cdef dict _unidirectional
    cdef list _unsettled
    cdef public ConversationLog log
    cdef public tuple sections

    cdef MessageStream _message_stream(self, long long number)
