cdef int _UDP, _UDP_HEADER, _IP4, _IP6

cpdef int codepoint_before(bytes data, Py_ssize_t payload, Py_ssize_t key_length) except? -2
