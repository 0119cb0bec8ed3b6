from analyzer.tls.record.record cimport Record

cdef int APPLICATION_DATA, HANDSHAKE, _CID
cdef int _FORM, _FORM_MASK, _HAS_ID, _LONG_NUMBER, _HAS_LENGTH, _EPOCH, _UNIFIED, _MAX_PLAIN, _PLAIN

cpdef Py_ssize_t read_record(
    Record record, bytes data, Py_ssize_t start, Py_ssize_t end, Py_ssize_t id_length, long long missing
) except -2
cdef Py_ssize_t read_unified(
    Record record, bytes data, Py_ssize_t start, Py_ssize_t end, Py_ssize_t id_length, long long missing
) except -2
cdef void finish_record(
    Record record, bytes data, Py_ssize_t start, Py_ssize_t body, long long length, Py_ssize_t end
) except *
cpdef void copy_content(Record plain, Record record) except *
cpdef bint is_early(Record record) except -1
cdef bint is_version(int major, int minor) except -1
cpdef bint begins_dtls(bytes data, Py_ssize_t start, Py_ssize_t end) except -1
