cimport cython

from analyzer.codec.byte_slices cimport slice_bytes
from analyzer.tls.record.record cimport Record, RecordSink, gap

# C variables, because they are read for every record.
cdef int ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, HEADER, HEARTBEAT, MAX_RECORD, SSL2, SSL2_CLIENT_HELLO, LOST, NO_RECORD
cdef int BODY, START, START_BYTES, FOUND


cpdef bint plausible(bytes data, Py_ssize_t pos, Py_ssize_t end) except *
cdef bint is_fit(int content_type, int length) except *


@cython.no_gc
cdef class RecordReader:
    cdef public RecordSink sink
    cdef public Record record
    cdef public bytes head
    cdef public long long remaining
    cdef public long long latest
    cdef public int wanted
    cdef public long long first_gap
    cdef public list parts
    cdef public bint searching
    cdef public int doubt
    cdef public bint past_handshake
    cdef public bint ssl2

    cpdef void feed(
        self, bytes data, Py_ssize_t start, Py_ssize_t end, long long offset, long long frame, long long at
    ) except *
    cdef bint begin(self, bytes data, Py_ssize_t pos, long long offset, long long frame, long long at) except *
    cdef bint begin_ssl2(self, long long offset, long long frame, long long at) except *
    cdef void open(self, long long length, long long offset, long long frame, long long at) except *
    cdef void complete(self, long long frame, long long at) except *
    cdef void deliver(self, long long frame, long long at) except *
    cpdef void gap(self, long long offset, long long length, long long frame, long long at) except *
    cpdef void miss(self, long long offset, long long frame, long long at) except *
    cdef void count_missing(self, long long length) except *
    cpdef void finish(self, long long frame, long long at) except *
    cdef void lose_boundary(self, long long offset, long long frame, long long at) except *
    cpdef void report(self, int what, long long offset, str problem, long long frame, long long at) except *
    cdef Py_ssize_t search(self, bytes data, Py_ssize_t pos, Py_ssize_t end) except? -2
