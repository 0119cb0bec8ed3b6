cimport cython

from analyzer.codec.runner cimport extension_body
from analyzer.tls.handshake cimport hello_features, key_exchange

cdef int PRE_SHARED_KEY, MAX_SHARES, TLS_1_2, TLS_1_3, LARGEST_PLAINTEXT, EXPANSION, APPLICATION_DATA, MAX_REQUESTS
cdef int QUIC_TRANSPORT_PARAMETERS, QUIC_TRANSPORT_PARAMETERS_DRAFT


@cython.no_gc
@cython.final
cdef class Parameters:
    cdef public int version
    cdef public bint tls13
    cdef public int cipher_suite
    cdef public object suite
    cdef public int compression
    cdef public bytes dh_prime
    cdef public int group
    cdef public bytes alpn
    cdef public bytes session_id
    cdef public str resumption
    cdef public bytes public_key
    cdef public tuple agreed
    cdef public object exchange
    cdef public int record_version
    cdef public int fragment
    cdef public int longest
    cdef public tuple requested
    cdef public tuple requests
    cdef public int selected
    cdef public int heartbeat

    cpdef bint is_unusual(self, int content_type, int version, long long length) except -1
    cpdef void take_answer(self, object body, bint whole) except *
    cpdef void take_server_hello(self, object body) except *
    cpdef void take_extensions(self, object body, bint whole) except *
    cpdef void take_key_exchange(self, object body, bint whole) except *
    cpdef tuple take_request(self, object body, bint whole)


@cython.no_gc
@cython.final
cdef class Hellos:
    cdef public bint client_seen
    cdef public bint client_whole
    cdef public bint server_seen
    cdef public tuple fingerprint_input
    cdef public object offer
    cdef public tuple server_fingerprint_input
    cdef public bytes server_name
    cdef public dict offers
    cdef public bint offers_early
    cdef public bint over_udp
    cdef public list transport
    cdef public object ech
    cdef public tuple public_keys
    cdef public object exchange

    cpdef void take_client_hello(self, object body, bytes raw, bint fits, bint whole, bint first) except *
    cpdef bytes asked_name(self)
    cpdef void take_key_exchange(self, object body) except *
    cpdef void accept_inner(self) except *
    cpdef void take_extensions(self, object body) except *


cdef object transport_parameters(object body)
