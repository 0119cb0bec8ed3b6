cpdef long long read_u16(bytes data, Py_ssize_t at, bint little) except -1
cpdef long long read_u32(bytes data, Py_ssize_t at, bint little) except -1
