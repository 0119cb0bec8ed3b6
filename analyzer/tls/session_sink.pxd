cimport cython

from analyzer.tls.records cimport RecordReader, RecordSink


@cython.no_gc
cdef class SessionSink(RecordSink):
    cdef public list readers
    cdef public int version
    cdef public bint mid_stream
    cdef public long long kept

    cpdef void lacks(self, int side, long long offset, long long length, long long frame) except *
    cpdef void gap(self, int side, long long offset, long long length, long long frame, long long at) except *
    cpdef void conflict(self, int side, long long offset, bytes first, bytes second, long long frame) except *
    cpdef void finish(self, str reason, long long frame, long long at) except *
