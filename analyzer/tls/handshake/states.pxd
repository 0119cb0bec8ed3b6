cimport cython

cdef tuple TABLES
cdef int _UNKNOWN, _WIDTH


@cython.no_gc
@cython.final
cdef class RoleState:
    cdef public int role
    cdef public int state
    cdef public long long change_frame
    cdef public bint finished
    cdef public bint encrypted_finished_seen
    cdef public int n_hellos
    cdef public bint seals
    cdef public bint exposed
    cdef public long long plain_alert
    cdef public long long n_protected
    cdef public long long n_application
    cdef public long long n_bytes
    cdef public bint sent_no_record

    cpdef bint advance(self, int number, bint tls13) except -1
    cpdef void lose(self) except *
