cimport cython

from analyzer.analysis.certificate_places cimport CertificatePlaces
from analyzer.analysis.fresh_values cimport fresh_values
from analyzer.analysis.seen_values cimport SeenValues
from analyzer.tls.handshake.resumption cimport ResumableSession
from analyzer.tls.session cimport Session
from analyzer.tls.session_handshake cimport SessionHandshake

cdef list NOTHING
cdef int _SERVER, _RANDOM_SIZE


@cython.final
cdef class Repetitions:
    cdef public SeenValues randoms
    cdef public SeenValues keys
    cdef public SeenValues tickets
    cdef public SeenValues early
    cdef public CertificatePlaces certificates

    cpdef list take_session(self, Session session)
    @cython.locals(known=list, found=list, public=bytes)
    cpdef list take(self, long long number, bytes key, long long start, tuple values, bytes leaf, bytes name, long long issued)
