from analyzer.capture.frame cimport Frame


cdef class FrameReader:
    cdef public Frame frame
    cdef public list secrets
    cdef public list interfaces

    cpdef bint advance(self) except *
