cimport cython

from analyzer.tls.handshake.hello_features cimport answer_key, known_hello
from analyzer.tls.handshake.message_reader cimport MessageReader
from analyzer.tls.handshake.offer_rules cimport content_breaches
from analyzer.tls.handshake.parameters cimport Hellos, Parameters
from analyzer.tls.handshake.states cimport RoleState

cdef int CERTIFICATE, CERTIFICATE_REQUEST, CERTIFICATE_VERIFY, CLIENT_HELLO, ENCRYPTED_EXTENSIONS, HEADER, KEY_UPDATE
cdef int NEW_SESSION_TICKET, PRE_SHARED_KEY, SERVER_KEY_EXCHANGE, SESSION_ID_LENGTH, TLS_1_3, LONGEST_REMEMBERED
cdef int _CLIENT, _SERVER
cdef tuple NOTHING

@cython.locals(parameters=Parameters, tls13=bint)
cpdef object check_message(object handshake, int role, int number, bytes raw, object body, long long frame)
@cython.locals(retry=bint, hellos=Hellos, client=RoleState, server=RoleState)
cpdef object check_answer(object handshake, bytes raw, object body, long long frame)
@cython.locals(reader=MessageReader)
cdef bint _goes_on(object handshake, int role) except -1
cdef bytes _session_id(bytes raw)
cdef Py_ssize_t _n_keys(dict offers) except -1
@cython.locals(key=tuple, known=tuple, found=tuple)
cdef tuple _answer(object offer, bytes raw, object body, bint retry, Py_ssize_t n_keys)
@cython.locals(ech=object)
cdef object _offer(Hellos hellos, bint retry=*)
@cython.locals(hellos=Hellos, client=RoleState)
cdef object _check_client_hello(object handshake, bytes raw, object body, long long frame)
@cython.locals(parameters=Parameters)
cdef object _check_exchange(object handshake, object body, long long frame)
cdef object _report(object handshake, object breaches, long long frame)
