cdef int DER_SEQUENCE, RETRY
cdef dict KNOWN

cpdef object table_of(int number, int version, object suite, bytes raw)
