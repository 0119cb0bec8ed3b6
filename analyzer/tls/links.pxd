cimport cython

from analyzer.codec.runner cimport extension_body

cdef int SESSION_TICKET, PRE_SHARED_KEY
cdef int LONGEST_TICKET, MAX_LINKED
cdef long long MAX_LINKED_BYTES


@cython.no_gc
@cython.final
cdef class Origin:
    cdef public long long number
    cdef public bytes server
    cdef public bytes name
    cdef public bytes master


@cython.no_gc
@cython.final
cdef class Generations:
    cdef public dict younger
    cdef public dict older
    cdef public long long n_bytes

    cpdef void keep(self, bytes name, Origin origin) except *
    cpdef Origin find(self, bytes name)


@cython.no_gc
cdef class Links:
    cdef public Generations ids
    cdef public Generations tickets

    cpdef Origin by_id(self, bytes session_id, bytes server, bytes name)
    cpdef void keep_ticket(self, bytes ticket, Origin origin) except *
    cpdef Origin by_identity(self, long long number, bytes identity)
    cpdef Origin resumed(self, long long number, object offers, object answer, bytes server, bytes name)


cpdef bytes server_of(bytes key, int client)
