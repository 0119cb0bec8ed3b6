cimport cython

from analyzer.secrets.aead cimport Tls13Opener
from analyzer.secrets.opener cimport Opener


@cython.no_gc
cdef class ReadState:
    cdef public list decryptors
    cdef public int epoch
    cdef public long long misses
    cdef public bint after_gap
    cdef public long long attempts
    cdef public bint changed
    cdef public object inflater
    cdef public object material
    cdef public bint limited

    cpdef tuple open(self, int content_type, int version, bytes body)
    cdef tuple _open(self, Opener opener, int content_type, int version, bytes body)
    cdef tuple _open_updated(self, Tls13Opener opener, int content_type, int version, bytes body)


@cython.no_gc
cdef class CandidateDecryptors(Opener):
    cdef public Py_ssize_t breadth
    cdef object _openers
    cdef object _choose
    cdef Opener _chosen

    cdef void _take(self, Py_ssize_t number) except *
    cpdef Opener settled(self)


@cython.no_gc
cdef class UnprotectedReader(Opener):
    cdef Py_ssize_t _mac_length
