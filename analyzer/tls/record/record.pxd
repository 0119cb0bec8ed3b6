cimport cython


@cython.freelist(64)
@cython.no_gc
@cython.final
cdef class Record:
    cdef public int role
    cdef public int content_type
    cdef public int version
    cdef public int epoch
    cdef public bytes body
    cdef public long long length
    cdef public long long missing
    cdef public long long offset
    cdef public int header
    cdef public long long frame
    cdef public long long at
    cdef public bytes second
    cdef public str problem

    cpdef Record copy(self)


cpdef Record gap(int role, long long offset, long long length, long long frame)
cpdef Record conflict(int role, long long offset, bytes first, bytes second, long long frame)
cpdef Record fact(str code, str detail, long long frame)


@cython.no_gc
cdef class RecordSink:
    cdef public long long kept

    cpdef int wants(self, int role, int content_type) except -1
    cpdef void take(self, Record record) except *
    cpdef void end_role(self, int role, long long frame, long long at) except *
    cpdef bint finish(self, long long frame, long long at) except *
