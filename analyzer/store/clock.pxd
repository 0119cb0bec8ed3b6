cdef int REMEMBERED_SECONDS
cdef Clock CLOCK


cdef class Clock:
    cdef str quote
    cdef str unknown
    cdef long long at
    cdef str text
    cdef long long second
    cdef str prefix
    cdef dict seconds

    cpdef str write(self, long long at)
    cdef str begin(self, long long second)


cpdef str rfc3339(long long at)
