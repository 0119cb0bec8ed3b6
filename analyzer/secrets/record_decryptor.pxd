cimport cython

@cython.no_gc
cdef class RecordDecryptor:
    cdef public bytes connection_id
    cdef public object sequence

    cpdef tuple open(self, int content_type, int record_version, bytes body)
    cpdef tuple open_after_gap(self, int content_type, int record_version, bytes body, long long limit)
    cpdef tuple open_at(self, object sequence, int content_type, int record_version, bytes body)
    cpdef void update(self) except *
