cimport cython

from analyzer.flows.flow cimport Flow
from analyzer.tls.decryption.decryption cimport Decryption
from analyzer.tls.events cimport Alert, Gap, KeysChanged, record_event
from analyzer.tls.establishment cimport is_completed, is_whole
from analyzer.tls.handshake.hello_order cimport is_late_hello
from analyzer.tls.handshake.parameters cimport Parameters
from analyzer.tls.handshake.plaintext_rules cimport is_behind_change, is_forged_alert, is_plain, may_be_encrypted
from analyzer.tls.handshake.states cimport RoleState
from analyzer.tls.record.explicit_nonces cimport ExplicitNonces, has_explicit_nonce
from analyzer.tls.record.record cimport Record, RecordSink
from analyzer.tls.record.sealed_sizes cimport SealedSizes
from analyzer.tls.session_handshake cimport SessionHandshake
from analyzer.tls.session_log cimport SessionLog

# C variables, because they are read for every record. They are not visible from Python.
cdef int ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, ENCRYPTED_ALERT_13, HANDSHAKE, HEARTBEAT, LENGTH_OF_ALERT, SSL2
cdef int BODY, NOTHING, START, START_BYTES
cdef int CONFLICT, FACT, GAP, LOST, NO_RECORD, FINISHED, HEADER, NO_OFFSET, _CHANGE, _CLIENT, _SERVER


@cython.no_gc
cdef class Session(RecordSink):
    cdef public long long id
    cdef public Flow flow
    cdef public SessionLog log
    cdef public SessionHandshake handshake
    cdef public tuple roles
    cdef public ExplicitNonces nonces
    cdef public object heartbeats
    cdef public tuple sizes
    cdef public object transport

    cdef bint is_encrypted(self, int role) except *
    cdef bint hides(self, RoleState sender, Record record) except *
    cdef bint open(self, RoleState sender, Record record) except *
    cdef bint sends_plain_data(self, RoleState sender) except -1
    cdef void take_plain(self, RoleState sender, Record record) except *
    cdef bint encrypts(self, RoleState sender) except -1
    cdef void take_ciphertext(self, RoleState sender, Record record) except *
    cdef void count_data(self, RoleState sender, Record record) except *
    cdef void take_encrypted_handshake(self, RoleState sender, Record record) except *
    cdef void change_keys(self, RoleState sender, Record record) except *
    cdef void take_alert(self, RoleState sender, Record record, bytes body, long long length, bint decrypted) except *
    cdef void check_nonce(self, Record record) except *
    cdef void take_notice(self, Record record) except *
    cdef void emit_record_event(self, str kind, Record record, long long length) except *
