cdef int _CLIENT, _SERVER

cpdef object check_order(object handshake)
