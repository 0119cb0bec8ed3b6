cdef int _CLIENT, _SERVER

cpdef object check_message(object handshake, int role, int number, bytes raw, object body, long long frame)
cpdef object check_answer(object handshake, bytes raw, object body, long long frame)
