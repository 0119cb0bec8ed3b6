cimport cython

cdef int MAX_IDS, MAX_HEARD, RESET_TOKEN


@cython.final
cdef class ConnectionIds:
    cdef public object connection
    cdef public dict heard
    cdef public tuple ids
    cdef public tuple lengths
    cdef public dict table
    cdef public tuple tokens

    cpdef void add(self, int role, bytes connection_id, bint chosen=*) except *
    cpdef void add_token(self, int role, bytes token) except *
    cpdef bint has(self, int role, bytes connection_id) except -1
    cpdef bint has_token(self, int role, bytes body) except -1
    cpdef bint comes_again(self, bytes connection_id) except -1
    cpdef void name(self, bytes connection_id) except *
    cpdef bint is_named(self, bytes connection_id) except -1
    cpdef void leave(self) except *
    cpdef void forget(self, bytes connection_id) except *
