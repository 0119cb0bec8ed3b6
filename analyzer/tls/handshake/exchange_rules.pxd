cpdef list share_key(str who, int group, bytes public)
cpdef list server_exchange(object body)
cpdef list client_exchange(object body, bytes modulus)
