from analyzer.application.exchange cimport Journal


cdef class Conversation:
    cdef Journal _journal
    cdef readonly list _held
    cdef readonly long long _n_held
    cdef readonly object _reader
