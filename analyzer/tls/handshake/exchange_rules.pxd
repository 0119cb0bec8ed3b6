cdef int _X25519, _X448, _LAST_CURVE

cpdef list share_key(str who, int group, bytes public)
cpdef list server_exchange(object body)
cpdef list client_exchange(object body, bytes modulus)
