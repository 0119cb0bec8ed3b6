cimport cython

from analyzer.codec.runner cimport extension_body

cdef int SESSION_TICKET, PRE_SHARED_KEY
cdef int LONGEST_TICKET, MAX_RESUMABLE


@cython.no_gc
@cython.final
cdef class ResumableSession:
    cdef public long long number
    cdef public bytes server
    cdef public bytes name
    cdef public bint opens
    cdef public long long at
    cdef public bytes client
    cdef public bytes master
    cdef public tuple terms

    cpdef bint is_between(self, bytes client, bytes server, bytes name) except -1
    cpdef bint may_be_between(self, bytes client, bytes server, bytes name) except -1


@cython.no_gc
@cython.final
cdef class TwoGenerationCache:
    cdef public dict younger
    cdef public dict older
    cdef public long long most

    cpdef void keep(self, bytes name, ResumableSession session) except *
    cpdef ResumableSession find(self, bytes name)


@cython.no_gc
cdef class Resumptions:
    cdef public TwoGenerationCache ids
    cdef public TwoGenerationCache tickets

    cpdef ResumableSession by_id(self, bytes session_id, bytes server, bytes name)
    cpdef void keep_id(self, bytes session_id, ResumableSession session) except *
    cpdef void keep_ticket(self, bytes ticket, ResumableSession session) except *
    cpdef ResumableSession find(self, bytes ticket, bytes session_id, bytes server, bytes name, bytes client=*)
    cpdef ResumableSession resumed(self, object offers, object answer, bytes server, bytes name, bytes client=*)
    cpdef bytes secret(self, ResumableSession found)
