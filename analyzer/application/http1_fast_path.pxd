# Octets and limits, as C variables.
cdef int _CR, _LF, _BLANK, _SLASH, _ZERO, _COLON, _LAST_PRINTABLE
cdef Py_ssize_t _MAX_FIELDS, _MAX_DIGITS
cdef bytes _TOKEN, _VERSION_AND_END


cdef class FastPathMessage:
    cdef public str method
    cdef public str path
    cdef public int status
    cdef public str version
    cdef public list fields
    cdef public long long n_bytes
    cdef public str host
    cdef public int n_hosts
    cdef public long long length
    cdef public Py_ssize_t end


cpdef FastPathMessage read_plain_request(bytes data, Py_ssize_t end)
cpdef FastPathMessage read_plain_response(bytes data, Py_ssize_t end)
cpdef Py_ssize_t plain_request_line(bytes data, Py_ssize_t end) except -1
cdef bint _read_fields(FastPathMessage head, bytes data, Py_ssize_t pos, Py_ssize_t end) except -1
cdef bint _read_named_field(FastPathMessage head, bytes data, Py_ssize_t start, Py_ssize_t n_name, str value) except -1
cdef bint _is_named(bytes data, Py_ssize_t start, bytes name) except -1
cdef bint _take_length(FastPathMessage head, str text) except -1
