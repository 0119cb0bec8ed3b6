cimport cython

cdef tuple TABLES
cdef int _UNKNOWN, _WIDTH, _CONNECTED, _DATA, _MAX_SENT, _UNASSIGNED, _DATA_SENT, _EMPTY_CERTIFICATE, _CHANGE_SENT, _LOST


@cython.no_gc
@cython.final
cdef class SentMessages:
    cdef public bytearray numbers
    cdef public list frames
    cdef public int origin

    cpdef void add(self, int number, long long frame) except *
    cpdef void lose(self) except *
    cpdef void empty(self) except *
    cpdef void begin(self, int origin) except *


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
    cdef public SentMessages sent
    cdef public bint missed
    cdef public bint connected
    cdef public bint unsure
    cdef public bint hidden
    cdef public int ended
    cdef public int reported

    cpdef bint expects(self, int number) except -1
    cpdef bint advance(self, int number, bint tls13) except -1
    cpdef void count_data(self, long long frame) except *
    cpdef void lose(self) except *
    cpdef void lose_place(self) except *
