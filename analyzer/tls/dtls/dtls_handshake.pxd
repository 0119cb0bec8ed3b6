from analyzer.tls.dtls.record_headers cimport copy_content, is_early
from analyzer.tls.events cimport KeysChanged
from analyzer.tls.handshake.states cimport RoleState
from analyzer.tls.record.record cimport Record
from analyzer.tls.session cimport Session

cdef int CERTIFICATE, CLIENT_HELLO, CLIENT_KEY_EXCHANGE, FINISHED, FRAGMENT_HEADER
cdef int SERVER_HELLO, _CHANGE, _CHANGED, _CLIENT, _LAST_HELLO, _UNIFIED


cdef class DtlsHandshake(Session):
    cdef public list changes
    cdef public object disputes
    cdef public tuple flights
    cdef public list held
    cdef public object opening
    cdef public Record plain

    cdef bint must_wait(self, Record record) except -1
    cdef Record content(self, Record record)
    cdef bint is_repeated(self, Record record, int epoch, long long number, bint opened) except -1
    cdef void note_change(self, RoleState sender, Record record) except *
    cdef void take_change(self, RoleState sender, Record record) except *
    cdef void take_fragments(self, int role, bytes body, int epoch, long long frame, long long at) except *
    cdef bint is_stray(self, int role, int number, int sequence) except -1
    cdef void take_fragment(self, int role, bytes header, bytes data, int epoch, long long frame, long long at) except *
    cdef void deliver(self, int role, long long frame, long long at) except *
    cdef void take_message(self, int role, int sequence, object message, long long frame, long long at) except *
    cdef bint has_no_place(self, RoleState sender, int number) except -1
    cdef void skip(self, int role, long long frame, long long at) except *
    cdef void give_up(self, long long frame, long long at) except *
    cdef void end_handshakes(self, int epoch, long long frame, long long at) except *
    cdef void release(self, bint given_up) except *
    cdef void take_sealed(self, Record record) except *
