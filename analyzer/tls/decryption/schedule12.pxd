cimport cython

from analyzer.codec.runner cimport extension_body
from analyzer.secrets.keylog cimport KeyLog
from analyzer.secrets.record_decryptor cimport RecordDecryptor
from analyzer.secrets.record_protection cimport open_tls12
from analyzer.secrets.key_schedule cimport finished_of, tls_version
from analyzer.tls.decryption.read_state cimport CandidateDecryptors, UnprotectedReader
from analyzer.tls.decryption.session_keys cimport SessionKeys
from analyzer.tls.handshake.resumption cimport ResumableSession, Resumptions

cdef int TRUNCATED_HMAC, ENCRYPT_THEN_MAC, EXTENDED_MASTER_SECRET


@cython.no_gc
@cython.final
cdef class Schedule12:
    cdef public SessionKeys keys
    cdef public bytes session_id
    cdef public list premasters
    cdef public bytes master
    cdef public bytes earlier
    cdef public object refused
    cdef public tuple pair
    cdef public bint exchanged
    cdef public bint extended
    cdef public bint encrypt_then_mac
    cdef public bint truncated_hmac
    cdef public bint deflate
    cdef public bint unverified

    cpdef void begin(self) except *
    cpdef void resume(self, ResumableSession found, Resumptions resumptions, object hello) except *
    cpdef bint agree(self, object hello, bint opened) except *
    cpdef void exchange(self, bytes raw) except *
    cpdef RecordDecryptor decryptor(self, int role)
    cdef tuple make_pair(self, object chosen, list masters)
    @cython.locals(found=list, known=list)
    cpdef list masters(self, object chosen)
    cpdef void note_missing(self) except *
    cpdef bint has_secret(self) except *
    cpdef bytes verify_data(self, int role, bytes preceding)
