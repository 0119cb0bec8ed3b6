cimport cython

from analyzer.codec.runner cimport extension_body
from analyzer.secrets.aead cimport Tls13Opener
from analyzer.secrets.keylog cimport KeyLog
from analyzer.secrets.opener cimport Opener
from analyzer.secrets.protection cimport open_tls12, open_tls13
from analyzer.secrets.schedule cimport finished_of, tls_version
from analyzer.tls.direction cimport AnyOpener, Direction, PlainOpener
from analyzer.tls.transcript cimport Transcript

cdef int CLIENT_HELLO, SERVER_HELLO, END_OF_EARLY_DATA, CLIENT_KEY_EXCHANGE, FINISHED, KEY_UPDATE
cdef int TRUNCATED_HMAC, ENCRYPT_THEN_MAC, EXTENDED_MASTER_SECRET, _CLIENT


cdef class Decryption:
    cdef public object application
    cdef public object bound
    cdef public int cipher_suite
    cdef public int client
    cdef public bytes client_random
    cdef public dict contradicted
    cdef public str detail
    cdef public tuple directions
    cdef public bytes earlier
    cdef public bint early
    cdef public object ech
    cdef public bint exchanged
    cdef public bint extended
    cdef public long long failed
    cdef public bint holes
    cdef public list limits
    cdef public bytes master
    cdef public dict named
    cdef public bint outside
    cdef public list oversized
    cdef public tuple pair
    cdef public bint plain
    cdef public list premasters
    cdef public dict proven
    cdef public str reason
    cdef public long long records
    cdef public object search
    cdef public object secrets
    cdef public list sent
    cdef public bytes session_id
    cdef public object suite
    cdef public object suites
    cdef public bint tls13
    cdef public Transcript transcript
    cdef public str trial
    cdef public bint truncated
    cdef public int version
    cdef public bint zlib

    cpdef void begin(self) except *
    cpdef void hear(self, int side, bytes raw, bint whole) except *
    cpdef void offer(self, object suites, object ech) except *
    cpdef bint agree(self, int version, bint tls13, object chosen, object hello, bytes raw, bint retry) except *
    cpdef bint change(self, int side) except *
    cpdef bint protects(self, int side, int content_type) except *
    cpdef void limit(self, int role, object n_bytes) except *
    cpdef tuple open(self, int side, int content_type, int version, bytes body, long long missing, long long frame)
    cpdef void carry(self, int side, bytes data, object session, long long frame, long long at) except *
    cpdef void lose(self, int side, bint missing) except *
    cpdef void close(self, long long at) except *
    @cython.locals(found=list)
    cpdef list findings(self)
    cpdef bytes verify_data(self, int role, bytes heard)
    cdef int _draft(self) except -1
    cdef bint _agree13(self, bytes raw) except *
    @cython.locals(secrets=list, openers=list, opening=list)
    cdef Opener _opener13(self, str label, dict found)
    cdef Opener _opener12(self, int side)
    cdef tuple _pair(self, object chosen, list masters)
    @cython.locals(found=list, known=list)
    cdef list _masters(self, object chosen)
    cdef void _update(self, int side) except *
    cdef bytes _finished(self, int side, int phase, bytes digest)
    cdef Opener _opener_of(self, int side, int phase)
