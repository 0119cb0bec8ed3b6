cimport cython

from analyzer.codec.cut cimport cut
from analyzer.codec.runner cimport read
from analyzer.tls cimport learn
from analyzer.tls.decrypt cimport Decryption
from analyzer.tls.facts cimport Alert, Finding, HandshakeMessage, handshake_message, new_event
from analyzer.tls.ledger cimport Ledger
from analyzer.tls.links cimport Links, Origin, server_of
from analyzer.tls.messages.tables cimport table_of
from analyzer.tls.proof cimport Proof, settle, worse
from analyzer.tls.records cimport RecordReader
from analyzer.tls.transcript cimport Transcript

# Constants that are looked at for every message; as C variables they are not visible from Python.
cdef int ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, HEARTBEAT
cdef int SSL2, TLS13, CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET, HELLO_RETRY_REQUEST, ENCRYPTED_EXTENSIONS
cdef int CERTIFICATE, SERVER_KEY_EXCHANGE, FINISHED, CERTIFICATE_STATUS, COMPRESSED_CERTIFICATE
cdef int ENCRYPTED_ALERT_13, SESSION_TICKET, PRE_SHARED_KEY, ENCRYPTED_CLIENT_HELLO
cdef int MAX_HANDSHAKE, MAX_MESSAGES
cdef int MAX_KEPT, MAX_SIGNATURES, MESSAGE_COST
cdef tuple NAMES


@cython.no_gc
cdef class Side:
    cdef public bytearray buffer
    cdef public long long need
    cdef public long long skip
    cdef public long long ccs_frame
    cdef public bint encrypted_finished
    cdef public long long encrypted_records
    cdef public long long n_application
    cdef public bint strayed
    cdef public long long first_frame


@cython.no_gc
cdef class Session(Ledger):
    cdef public long long id
    cdef public object connection
    cdef public long long first_frame
    cdef public long long last_frame
    cdef public long long at
    cdef public long long end
    cdef public str closed
    cdef public list sides
    cdef public list certificates
    cdef public list stapled
    cdef public bint fields
    cdef public bint greeted
    cdef public bint answered
    cdef public bint offers_early
    cdef public object offers
    cdef public object ech
    cdef public Links links
    cdef public Origin origin
    cdef public Origin resumes
    cdef public bytes session_id
    cdef public tuple hello_shape
    cdef public tuple answer_shape
    cdef public bint tls13
    cdef public int cipher_suite
    cdef public object suite
    cdef public int group
    cdef public bytes server_name
    cdef public bytes alpn
    cdef public str resumption
    cdef public object secrets
    cdef public Decryption decryption
    cdef public bint opens
    cdef public bint opening
    cdef public Transcript transcript
    cdef public list signed
    cdef public list finished
    cdef public object later

    cdef bint is_encrypted(self, int side) except *
    cdef bint is_second_hello(self, bytes body) except *
    cdef bint open(
        self, int side, Side sender, int content_type, int version, bytes body, long long missing, long long length,
        long long frame, long long at
    ) except *
    cdef void application_data(self, int side, Side sender, long long length, long long frame, long long at) except *
    cpdef void stop(self, int side, long long frame, long long at) except *
    cdef void fragment(self, int side, Side sender, bytes body, long long missing, long long frame, long long at) except *
    cdef long long leave_partial(self, int side, Side sender, long long frame, long long at) except? -1
    cdef void message(self, int side, bytes raw, long long length, long long frame, long long at) except *
    cpdef void prove(self) except *
    cdef void read_again(self) except *
    cdef object table(self, int number, bytes raw)
    cdef void learn_client_hello(self, int side, object body, bytes raw) except *
    cdef void learn_server_hello(self, object body, bytes raw, bint retry) except *
    cdef void judge_resumption(self) except *
    cdef Origin as_origin(self)
    cdef void alert(self, int side, bytes body, long long length, long long frame, long long at) except *
