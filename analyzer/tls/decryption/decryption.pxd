cimport cython

from analyzer.flows.flow cimport Flow
from analyzer.secrets.record_decryptor cimport RecordDecryptor
from analyzer.tls.decryption.read_state cimport ReadState
from analyzer.tls.decryption.schedule12 cimport Schedule12
from analyzer.tls.decryption.schedule13 cimport Schedule13
from analyzer.tls.decryption.session_keys cimport SessionKeys
from analyzer.tls.events cimport Data, DataBegan, DataMissing
from analyzer.tls.handshake.authentication cimport FinishedKeys
from analyzer.tls.handshake.hello_features cimport fragment_length, record_size_limit
from analyzer.tls.handshake.transcript cimport Transcript
from analyzer.tls.record.record cimport Record
from analyzer.tls.session_log cimport SessionLog

cdef int HEADER, CLIENT_HELLO, END_OF_EARLY_DATA, CLIENT_KEY_EXCHANGE, FINISHED, KEY_UPDATE, MAX_FRAMES, _CLIENT, _SERVER


@cython.final
cdef class Decryption(FinishedKeys):
    cdef public SessionKeys keys
    cdef public SessionLog log
    cdef public tuple states
    cdef public Schedule12 schedule12
    cdef public Schedule13 schedule13
    cdef public long long records
    cdef public long long failed
    cdef public long long unanswered
    cdef public list sent
    cdef public bint has_gaps
    cdef public bint early
    cdef public bint early_settled
    cdef public list held
    cdef public list limits
    cdef public list oversized
    cdef public object application
    cdef public object inner
    cdef public bint began
    cdef public bint active

    cpdef void begin(self) except *
    cpdef void take_message(self, int role, bytes raw, bint whole) except *
    cpdef void offer(self, object suites, object ech) except *
    cpdef void accept_inner(self, bytes outer_random, bytes inner_random) except *
    cpdef bint agree(self, int version, bint tls13, object chosen, object hello, bytes raw, bint retry) except *
    cpdef bint change(self, int role) except *
    cpdef void limit(self, int role, object n_bytes) except *
    cpdef void take_limits(self, object answer) except *
    cpdef bint protects(self, int role, int content_type) except *
    cpdef tuple open(self, Record record)
    cdef void note_failure(self, Record record, str reason, str detail) except *
    cpdef bint is_past_early_data(self) except -1
    cpdef void carry(self, int role, bytes data, bytes alpn, long long frame, long long at) except *
    cdef void read(self, int role, bytes data, bytes alpn, long long frame, long long at) except *
    cpdef void settle_early(self, bint accepted, bytes alpn) except *
    cpdef void lose(self, int role, bint missing) except *
    cdef void miss(self, int role, str reason) except *
    cpdef void close(self, long long at) except *
    @cython.locals(found=list)
    cpdef list findings(self)


cdef bint _is_whole(bytes raw) except -1
