cimport cython

from analyzer.codec.cut cimport cut

# Constants that are looked at for every record, as C variables.
cdef int ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, HEADER, HEARTBEAT, MAX_RECORD


@cython.no_gc
cdef class RecordSink:
    cpdef bint wants(self, int side, int content_type) except *
    cpdef void record(
        self, int side, int content_type, int version, bytes body, long long length, long long missing, long long frame,
        long long at
    ) except *
    cpdef void violation(self, int side, long long offset, str why, long long frame) except *
    cpdef void lost(self, int side, long long frame, long long at) except *


cpdef bint plausible(bytes data, Py_ssize_t pos, Py_ssize_t end) except *
cdef bint is_fit(int content_type, int length) except *


@cython.no_gc
cdef class RecordReader:
    cdef public RecordSink sink
    cdef public int side
    cdef public bytes head
    cdef public long long remaining
    cdef public long long length
    cdef public int content_type
    cdef public int version
    cdef public bint wanted
    cdef public long long missing
    cdef public long long first_hole
    cdef public list parts
    cdef public bint searching
    cdef public bint settled
    cdef public bint ssl2

    cpdef void feed(
        self, bytes data, Py_ssize_t start, Py_ssize_t end, long long offset, long long frame, long long at
    ) except *
    cdef bint begin(self, bytes data, Py_ssize_t pos, long long frame, long long at) except *
    cdef bint begin_ssl2(self, long long frame, long long at) except *
    cdef void open(self, long long length, long long frame, long long at) except *
    cdef void complete(self, long long frame, long long at) except *
    cpdef void gap(self, long long length, long long frame, long long at) except *
    cpdef void finish(self, long long frame, long long at) except *
    cdef void astray(self, long long offset, long long frame, long long at) except *
    cdef Py_ssize_t search(self, bytes data, Py_ssize_t pos, Py_ssize_t end) except? -2
