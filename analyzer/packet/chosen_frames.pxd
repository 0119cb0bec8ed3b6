cimport cython

from analyzer.capture.frame cimport Frame
from analyzer.capture.frame_reader cimport FrameReader
from analyzer.packet.headers cimport read
from analyzer.packet.packet cimport Packet

cdef int _CAPWAP

@cython.locals(frame=Frame, place=Py_ssize_t, mixed=cython.int, fragment=bint)
cpdef bint next_chosen(FrameReader reader, Packet packet, bytearray numbers, dict keys, bytearray ports) except -1
