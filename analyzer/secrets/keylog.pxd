from analyzer.secrets.keylog_line cimport Line, UnreadableLine, read_line

# C variables, because they are read for every line.
cdef int BY_CLIENT_RANDOM, BY_SESSION_ID


cdef class KeyLog:
    cdef public list problems
    cdef public list repeats
    cdef dict _sources
    cdef dict _cut
    cdef set _blocks
    cdef dict _kept
    cdef set _news
    cdef dict _labelled
    cdef dict _session_ids
    cdef dict _premasters
    cdef long long _n_lines
    cdef long long _n_kept
    cdef long long _n_repeated
    cdef long long _n_conflicting
    cdef long long _n_bad
    cdef long long _n_unknown
    cdef long long _n_written
    cdef long long _n_good

    cpdef list candidates(self, bytes client_random, str label)
    cpdef dict by_label(self, bytes client_random)
    cpdef list masters(self, bytes client_random, bytes session_id)
    cpdef bint knows(self, bytes client_random) except *
    cdef void _line(self, bytes line, str source, long long number) except *
    cdef void _salvage(self, bytes line, str source, long long number, UnreadableLine unreadable) except *
    cdef void _keep(self, Line line) except *
