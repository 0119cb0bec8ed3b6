from analyzer.tls.record.record_reader cimport plausible

cdef int HEADER, MIN_HELLO, MIN_CIPHERTEXT, SPLIT, HANDSHAKE, APPLICATION_DATA, CHANGE_CIPHER_SPEC, MESSAGE_HEADER
cdef int ALERT, ENCRYPTED_ALERT_13, LENGTH_OF_ALERT
cdef frozenset ALERTS, _LATE, _OF_CLIENTS, _OF_SERVERS


cpdef int hello_at(bytes data, Py_ssize_t pos, Py_ssize_t end) except? -2
cpdef int split_hello_at(bytes data, Py_ssize_t pos, Py_ssize_t end) except? -2
cpdef int ssl2_hello_at(bytes data, Py_ssize_t pos, Py_ssize_t end) except? -2
cpdef bint ciphertext_at(bytes data, Py_ssize_t pos, Py_ssize_t end) except *
cpdef int late_record_at(bytes data, Py_ssize_t pos, Py_ssize_t end) except? -2
cpdef bint is_plain_alert(bytes data, Py_ssize_t pos, Py_ssize_t end) except -1
cpdef bint is_closing(bytes data, Py_ssize_t start, Py_ssize_t end) except -1
cdef bint _ends_with(bytes data, Py_ssize_t start, Py_ssize_t end, int length, int content_type) except -1
