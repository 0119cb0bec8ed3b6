from analyzer.tls.record.record_reader cimport plausible

cdef int HEADER, MIN_HELLO, MIN_CIPHERTEXT, SPLIT, HANDSHAKE, APPLICATION_DATA, CHANGE_CIPHER_SPEC, MESSAGE_HEADER
cdef frozenset _LATE, _OF_CLIENTS, _OF_SERVERS


cpdef int hello_at(bytes data, Py_ssize_t pos, Py_ssize_t end) except? -2
cpdef int split_hello_at(bytes data, Py_ssize_t pos, Py_ssize_t end) except? -2
cpdef int ssl2_hello_at(bytes data, Py_ssize_t pos, Py_ssize_t end) except? -2
cpdef bint ciphertext_at(bytes data, Py_ssize_t pos, Py_ssize_t end) except *
cpdef int late_record_at(bytes data, Py_ssize_t pos, Py_ssize_t end) except? -2
