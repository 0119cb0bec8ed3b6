cimport cython

from analyzer.codec.runner cimport extension_body, read
from analyzer.flows.flow cimport Flow
from analyzer.tls.decryption.decryption cimport Decryption
from analyzer.tls.events cimport HandshakeMessage, handshake_message
from analyzer.tls.handshake cimport certificate_messages, hello_features, key_exchange
from analyzer.tls.handshake.authentication cimport Authentication
from analyzer.tls.handshake.hello_order cimport begins_handshake
from analyzer.tls.handshake.message_reader cimport MessageReader
from analyzer.tls.handshake.parameters cimport Hellos, Parameters
from analyzer.tls.handshake.plaintext_rules cimport is_disbelieved
from analyzer.tls.handshake.resumption cimport ResumableSession, Resumptions
from analyzer.tls.handshake.states cimport RoleState
from analyzer.tls.handshake.transcript cimport Transcript, is_retry, tells_retry
from analyzer.tls.messages.message_tables cimport table_of
from analyzer.tls.session_log cimport SessionLog

cdef int CERTIFICATE, CERTIFICATE_STATUS, CLIENT_HELLO, CLIENT_KEY_EXCHANGE, COMPRESSED_CERTIFICATE, ENCRYPTED_CLIENT_HELLO
cdef int ENCRYPTED_EXTENSIONS
cdef int HELLO_VERIFY_REQUEST
cdef int CERTIFICATE_REQUEST, FINISHED, HEADER, HELLO_RETRY_REQUEST, KEY_UPDATE, NEW_SESSION_TICKET, SERVER_HELLO
cdef int SERVER_KEY_EXCHANGE, TLS_1_3, _CLIENT, _SERVER, _CONNECTED, _UDP
cdef int MAX_KEPT, MESSAGE_COST
cdef tuple NAMES


@cython.no_gc
@cython.final
cdef class SessionHandshake:
    cdef public Flow flow
    cdef public SessionLog log
    cdef public object material
    cdef public Resumptions resumptions
    cdef public bint keeps_fields
    cdef public tuple roles
    cdef public tuple readers
    cdef public Hellos hellos
    cdef public Parameters parameters
    cdef public list certificates
    cdef public list stapled
    cdef public Transcript transcript
    cdef public Authentication authentication
    cdef public object post_handshake
    cdef public Decryption decryption
    cdef public ResumableSession resumable
    cdef public ResumableSession resumed_from
    cdef public ResumableSession copied_from
    cdef public bint decrypting
    cdef public long long kept

    cpdef void take(self, int role, bytes body, long long missing, long long offset, long long frame, long long at) except *
    cdef Py_ssize_t take_partial(self, int role, long long frame, long long at) except? -1
    cpdef void lose(self, int role, long long frame, long long at) except *
    cpdef void miss(self, int role) except *
    cdef void message(self, int role, MessageReader reader, long long frame, long long at) except *
    cdef void follow(self, int role, int number, bytes raw, bint whole, long long frame, long long at) except *
    cpdef void advance(self, RoleState state, int number, long long frame, long long at) except *
    cdef void collect(
        self, int role, int number, bytes raw, object body, HandshakeMessage message, bint whole
    ) except *
    cdef void collect_client_hello(self, int role, object body, bytes raw, bint sound, bint whole) except *
    cdef void collect_server_hello(self, object body, bytes raw, HandshakeMessage message, bint whole) except *
    cdef void accept_inner(self) except *
    cpdef void detect_resumption(self) except *
    cpdef ResumableSession as_resumable(self)
    cdef object table(self, int number, bytes raw)
    cpdef bint opens(self) except *
    cpdef void authenticate(self) except *
    cpdef void close(self, long long at) except *
    cpdef void share_master_secret(self) except *
