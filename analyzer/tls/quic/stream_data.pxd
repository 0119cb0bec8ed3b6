cimport cython

from analyzer.tls.decryption.decryption cimport Decryption
from analyzer.tls.events cimport Data, DataBegan, DataMissing
from analyzer.tls.quic.packet_numbers cimport PacketNumbers
from analyzer.tls.quic.stream_sink cimport StreamSink
from analyzer.tls.quic.stream_reassembly cimport Reassembly
from analyzer.tls.session_log cimport SessionLog

cdef int _STREAM, _RESET, _STOP, _MAX_STREAMS
cdef long long _MAX_WAITING_TOTAL
cdef dict _LIMITS


@cython.final
cdef class StreamData:
    cdef public bytes alpn
    cdef public bint asked
    cdef public bint broken
    cdef public Decryption decryption
    cdef public StreamSink direct
    cdef public dict directions
    cdef public list early
    cdef public Reassembly latest
    cdef public long long latest_key
    cdef public bint limited
    cdef public SessionLog log
    cdef public long long n_early
    cdef public list over
    cdef public list parameters
    cdef public object reader
    cdef public long long waiting

    cpdef void hold(
        self, int kind, long long stream, long long offset, bytes data, bint end, long long frame, long long at
    ) except *
    cpdef void settle_early(self, bint accepted) except *
    cpdef void take(
        self, int kind, int role, long long stream, long long offset, bytes data, bint end, long long frame, long long at
    ) except *
    cpdef void take_stream(
        self, int role, long long stream, long long offset, bytes data, bint end, long long frame, long long at
    ) except *
    cpdef void allow(self, int role, long long stream, long long maximum) except *
    cdef Py_ssize_t allowed(self, long long key) except -1
    cdef void note_limit(self, Reassembly direction, int role, long long stream, long long frame) except *
    cdef bint is_over(self, long long key) except -1
    cdef void end(self, long long key) except *
    cdef Reassembly begin(self, long long key, long long frame, long long at)
    cdef void pass_on(
        self, Reassembly direction, int role, long long stream, bytes data, long long frame, long long at
    ) except *
    cdef void give_up(self, Reassembly direction, int role, long long stream, long long frame, long long at) except *
    cdef void finish_direction(self, long long key, long long frame, long long at) except *
    cpdef void finish(self, long long frame, long long at) except *
    cdef void count(
        self, int role, bytes data, long long stream, bint end, long long reset, long long frame, long long at
    ) except *
    cdef void begin_data(self, long long frame, long long at) except *
    cdef void ask(self) except *
