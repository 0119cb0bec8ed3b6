cimport cython

from analyzer.secrets.aead cimport Tls13Decryptor
from analyzer.secrets.record_decryptor cimport RecordDecryptor


@cython.no_gc
cdef class ReadState:
    cdef public list decryptors
    cdef public int epoch
    cdef public long long n_failed
    cdef public bint after_gap
    cdef public long long attempts
    cdef public bint changed
    cdef public object inflater
    cdef public object material
    cdef public bint limited

    cpdef tuple open(self, int content_type, int version, bytes body)
    cdef tuple _open(self, RecordDecryptor decryptor, int content_type, int version, bytes body)
    cdef tuple _open_updated(self, Tls13Decryptor decryptor, int content_type, int version, bytes body)


@cython.no_gc
cdef class CandidateDecryptors(RecordDecryptor):
    cdef public Py_ssize_t n_candidates
    cdef object _decryptors
    cdef object _choose
    cdef RecordDecryptor _chosen

    cdef void _take(self, Py_ssize_t number) except *
    cpdef RecordDecryptor chosen_decryptor(self)


@cython.no_gc
cdef class UnprotectedReader(RecordDecryptor):
    cdef Py_ssize_t _mac_length
