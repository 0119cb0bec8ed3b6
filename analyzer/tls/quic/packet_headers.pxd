cimport cython

cdef int _LONG, _MAX_ID, _NEGOTIATION, _OTHER, _INITIAL, _RETRY
cdef long long _NO_LENGTH


@cython.final
@cython.no_gc
cdef class LongHeader:
    cdef public bytes destination
    cdef public Py_ssize_t end
    cdef public Py_ssize_t number_at
    cdef public object quic
    cdef public bytes source
    cdef public bytes token
    cdef public int type
    cdef public long long version


cpdef LongHeader read_long(bytes data, Py_ssize_t start, Py_ssize_t end)
cpdef long long read_varint(bytes data, Py_ssize_t pos, Py_ssize_t end) except -1
cpdef Py_ssize_t varint_length(bytes data, Py_ssize_t pos, Py_ssize_t end) except -1
