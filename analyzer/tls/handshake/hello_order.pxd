from analyzer.codec.runner cimport extension_body
from analyzer.flows.flow cimport Flow
from analyzer.tls.handshake.states cimport RoleState
from analyzer.tls.record.record cimport Record

cdef int CLIENT_HELLO, COOKIE, KEY_SHARE, SERVER_HELLO, SUPPORTED_GROUPS

cpdef bint begins_handshake(Flow flow, list gaps, RoleState client, int version, object hello) except -1
cpdef bint may_be_second(object hello) except -1
cpdef bint is_late_hello(Record record, int version) except -1
