cimport cython

from analyzer.analysis.seen_values cimport SeenValues
from analyzer.codec.byte_slices cimport slice_bytes

cdef Py_ssize_t MAX_KNOWN, LARGEST_KNOWN


@cython.final
cdef class CertificatePlaces:
    cdef public set known
    cdef public SeenValues places
    cdef public SeenValues certificates
    cdef public SeenValues keys

    cpdef bint knows(self, bytes key, bytes leaf, bytes name) except *
