cimport cython

from analyzer.codec.cut cimport cut
from analyzer.packet.packet cimport Packet
from analyzer.flows.connection cimport Half, Segment
from analyzer.flows.sink cimport Sink

# Constants that are looked at for every packet; as C variables they are not visible from Python.
cdef int HISTORY_SLOTS, RST, SYN
cdef long long HALF_WORD, HISTORY_TOTAL, SEGMENT_COST, WORD


@cython.final
cdef class Reassembler:
    cdef public long long pending
    cdef public long long history
    cdef public object waiting

    cdef void feed(self, Half half, Sink sink, Packet packet, long long sequence, long long frame, long long at) except *
    cdef void finish(self, Half half, Sink sink, long long frame, long long at) except *
    cdef void acknowledge(self, Half peer, Half half, long long number, int flags) except *
    cdef void glance(self, Half half, Sink sink, Packet packet, long long ahead, long long frame, long long at) except *
    cdef void place(self, Half half, Sink sink, Packet packet, long long ahead, long long frame, long long at) except *
    cdef void insert(self, Half half, Sink sink, Segment new) except *
    cdef void keep(self, Half half, Py_ssize_t index, Segment new) except *
    cdef Py_ssize_t overlap(self, Half half, Sink sink, Segment new, Py_ssize_t pos, Segment other) except? -1
    cdef void release(self, Half half, Sink sink, long long frame, long long at, bint give_up) except *
    cdef void hand_on(self, Half half, Sink sink, Segment segment, long long frame, long long at) except *
    cdef void remember(self, Half half, bytes data, Py_ssize_t start, Py_ssize_t end) except *
    cdef void forget(self, Half half) except *
    cdef void compare(
        self, Half half, Sink sink, bytes data, Py_ssize_t start, Py_ssize_t end, long long offset, long long frame,
        long long at
    ) except *


cdef Segment new_segment(long long offset, bytes data, long long missing, long long frame, long long at)
