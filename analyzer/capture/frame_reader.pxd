from analyzer.capture.frame cimport Frame


cdef class FrameReader:
    cdef public Frame frame
    cdef public list secrets
    cdef public list interfaces
    cdef public object processes

    cpdef bint advance(self) except *
