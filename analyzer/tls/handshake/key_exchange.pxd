cdef int SHORTEST_PUBLIC_KEY

cpdef int exchanged_group(object server_key_exchange) except? -2
cpdef bytes exchanged_prime(object server_key_exchange)
cpdef bytes server_public_key(object server_key_exchange)
cpdef bytes client_public_key(object client_key_exchange)
cpdef tuple signed_parameters(object server_key_exchange, bytes raw)
