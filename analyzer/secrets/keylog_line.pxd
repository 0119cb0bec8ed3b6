cimport cython


@cython.no_gc
cdef class Line:
    cdef public str label
    cdef public bytes session
    cdef public bytes secret
    cdef public str source
    cdef public long long line
    cdef public int key
    cdef public bint used


@cython.no_gc
cdef class UnreadableLine:
    cdef public str why
    cdef public bint unknown
    cdef public bytes session


# C variables, because they are read for every line.
cdef int _RANDOM, _LONGEST_SESSION_ID

cpdef object read_line(list words, str source, long long number)
@cython.locals(session=bytes, secret=bytes)
cdef object _read_secret(str label, object lengths, list words, str source, long long number)
cdef object _read_old_form(list words, str source, long long number)
@cython.locals(session=bytes, secret=bytes)
cdef object _read_rsa(list words, str source, long long number)
cdef Line _line_of(str label, bytes session, bytes secret, str source, long long number, int key)
cdef bytes _named(list words)
cdef UnreadableLine _unreadable(str why, bint unknown, bytes session=*)
