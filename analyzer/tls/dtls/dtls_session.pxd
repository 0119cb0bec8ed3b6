from analyzer.tls.decryption.decryption cimport Decryption
from analyzer.tls.dtls.dtls_handshake cimport DtlsHandshake
from analyzer.tls.dtls.record_headers cimport is_early
from analyzer.tls.establishment cimport is_completed
from analyzer.tls.events cimport Alert, KeysChanged
from analyzer.tls.handshake.parameters cimport Parameters
from analyzer.tls.handshake.states cimport RoleState
from analyzer.tls.record.record cimport Record

cdef int ALERT, APPLICATION_DATA, BODY, CHANGE_CIPHER_SPEC, CLOSE_NOTIFY, FATAL, HANDSHAKE, HEARTBEAT, MAX_DOUBTED, MAX_DOUBTFUL
cdef int MAX_HELD, SHORTEST_FINISHED, _CHANGE, _CONNECTED, _CLIENT, _SERVER, _UNIFIED, _ACK, _CID
cdef long long GIVE_UP


cdef class DtlsSession(DtlsHandshake):
    cdef public list doubted_alerts
    cdef public list doubtful
    cdef public list sealed_epochs

    cdef void take_plaintext(self, Record record) except *
    cdef void take_plain_alert(self, RoleState sender, Record plain) except *
    cpdef bint has_data(self, RoleState sender) except -1
    cdef void go_on(self, RoleState sender, Record record) except *
    cdef void take_ack(self, Record record) except *
    cdef bint open_unified(self, RoleState sender, Record record) except -1
    cdef void emit_opened(
        self, Record record, int epoch, long long number, int content_type, bytes content
    ) except *
    cdef void fail(self, RoleState sender, Record record, int epoch, object error, object before) except *
    cdef bint may_have(self, int role, int bits) except -1
    cdef void discard_doubtful(self, int role, int epoch) except *
    cdef void believe_doubtful(self) except *
    cdef void count_failed(self, Record record, object error) except *
    cdef void count(self, RoleState sender, Record record) except *
    cdef void take_opened(self, RoleState sender, Record record, int epoch, int content_type, bytes content) except *
    cdef void count_unified(self, RoleState sender, Record record) except *
    cdef void count_sealed(self, RoleState sender, Record record) except *
    cpdef bint has_ended(self) except -1
