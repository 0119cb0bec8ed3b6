from analyzer.tls.decryption.decryption cimport Decryption
from analyzer.tls.dtls.record_headers cimport copy_content, is_early
from analyzer.tls.establishment cimport is_completed
from analyzer.tls.events cimport Alert, KeysChanged
from analyzer.tls.handshake.parameters cimport Parameters
from analyzer.tls.handshake.states cimport RoleState
from analyzer.tls.record.record cimport Record
from analyzer.tls.session cimport Session

cdef int ALERT, APPLICATION_DATA, BODY, CHANGE_CIPHER_SPEC, FINISHED, FRAGMENT_HEADER, HANDSHAKE, HEARTBEAT, MAX_HELD
cdef int SHORTEST_FINISHED, _CHANGE, _CHANGED, _CONNECTED, _CLIENT, _SERVER, _UNIFIED, _CID, _ACK
cdef long long GIVE_UP


cdef class DtlsSession(Session):
    cdef public tuple flights
    cdef public list held
    cdef public object opening
    cdef public Record plain

    cdef bint must_wait(self, Record record) except -1
    cdef Record content(self, Record record)
    cdef void take_plaintext(self, Record record) except *
    cdef bint is_repeated(self, Record record, int epoch, long long number) except -1
    cdef void take_ack(self, Record record) except *
    cdef void take_change(self, RoleState sender, Record plain) except *
    cdef void infer_change(self, RoleState sender, Record record) except *
    cdef void take_fragments(self, int role, bytes body, int epoch, long long frame, long long at) except *
    cdef void take_fragment(self, int role, bytes header, bytes data, int epoch, long long frame, long long at) except *
    cdef void deliver(self, int role) except *
    cdef void take_message(self, int role, int sequence, object message, long long frame, long long at) except *
    cdef void skip(self, int role, long long frame, long long at) except *
    cdef void release(self, bint given_up) except *
    cdef void take_sealed(self, Record record) except *
    cdef bint open_unified(self, RoleState sender, Record record) except -1
    cdef void emit_opened(
        self, Record record, int epoch, long long number, int content_type, bytes content
    ) except *
    cdef bint fail(self, RoleState sender, Record record, int epoch, object error) except -1
    cdef void take_opened(self, RoleState sender, Record record, int epoch, int content_type, bytes content) except *
    cdef void count_unified(self, RoleState sender, Record record) except *
    cdef void count_sealed(self, RoleState sender, Record record) except *
    cpdef bint has_ended(self) except -1
