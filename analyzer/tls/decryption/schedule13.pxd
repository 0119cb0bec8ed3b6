cimport cython

from analyzer.secrets.aead cimport Tls13Decryptor
from analyzer.secrets.keylog cimport KeyLog
from analyzer.secrets.record_decryptor cimport RecordDecryptor
from analyzer.secrets.record_protection cimport open_tls13
from analyzer.tls.decryption.read_state cimport CandidateDecryptors, ReadState
from analyzer.tls.decryption.session_keys cimport SessionKeys

cdef int SERVER_HELLO, FINISHED, _CLIENT, _SERVER


@cython.no_gc
@cython.final
cdef class Schedule13:
    cdef public SessionKeys keys
    cdef public tuple states
    cdef public object bound
    cdef public bint misbound
    cdef public object trial

    cpdef void offer(self) except *
    cpdef bint agree(self, bytes raw) except *
    cpdef void search(self) except *
    cpdef void look(self, int role, int content_type, int version, bytes body) except *
    cpdef void finish(self) except *
    cpdef void update(self, int role) except *
    cpdef bint lacks_early(self) except *
    cpdef RecordDecryptor of_epoch(self, int role, int epoch)
    cpdef bytes verify_data(self, int role, int epoch, bytes digest)
    @cython.locals(secrets=list, decryptors=list, opening=list)
    cdef RecordDecryptor decryptor(self, str label, dict found)
