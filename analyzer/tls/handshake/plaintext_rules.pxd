from analyzer.tls.handshake.states cimport RoleState
from analyzer.tls.record.record cimport Record

cdef int ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, CLIENT_HELLO, FINISHED, HANDSHAKE, HELLO_RETRY_REQUEST
cdef int LENGTH_OF_ALERT, SERVER_HELLO, SSL2
cdef int _CLIENT, HEADER
cdef tuple _PLAINTEXT_TYPES

cpdef bint is_forged(int number, RoleState sender, RoleState other, bint tls13, bint answered) except -1
cpdef bint is_disbelieved(object handshake, int role, int number, bint whole) except -1
cpdef bint is_forged_alert(RoleState sender, bint tls13, bint answered, bint encrypts) except -1
cpdef bint is_plain(Record record, object chosen) except -1
cpdef bint may_be_encrypted(Record record) except -1
cpdef bint is_behind_change(Record record, RoleState other) except -1
cpdef bint fills_record(bytes body, int role) except -1
