cimport cython

from analyzer.codec.byte_slices cimport slice_bytes
from analyzer.packet.packet cimport Packet
from analyzer.flows.connection cimport Delivery, Endpoint, Segment
from analyzer.flows.doubts cimport count_identification
from analyzer.flows.sink cimport Sink

# Constants that are used for every packet. They are C variables, which are not visible from Python.
cdef int HISTORY_SLOTS, RST, SYN
cdef long long HALF_WORD, HISTORY_TOTAL, LATE_ACKNOWLEDGEMENT, SEGMENT_COST, WORD


@cython.final
cdef class Reassembler:
    cdef public long long pending
    cdef public long long history
    cdef public object waiting

    cdef void feed(
        self, Endpoint endpoint, Sink sink, Packet packet, long long sequence, long long frame, long long at
    ) except *
    cdef void finish(self, Endpoint endpoint, Sink sink, long long frame, long long at) except *
    cdef void drop_beyond(self, Endpoint endpoint, Sink sink, long long at) except *
    cdef void acknowledge(self, Endpoint peer, Endpoint endpoint, long long number, int flags) except *
    cdef void peek(self, Endpoint endpoint, Sink sink, Packet packet, long long ahead, long long frame, long long at) except *
    cdef void place(self, Endpoint endpoint, Sink sink, Packet packet, long long ahead, long long frame, long long at) except *
    cdef void insert(self, Endpoint endpoint, Sink sink, Segment new) except *
    cdef void keep(self, Endpoint endpoint, Py_ssize_t index, Segment new) except *
    cdef Py_ssize_t overlap(self, Endpoint endpoint, Sink sink, Segment new, Py_ssize_t pos, Segment other) except? -1
    cdef void release(self, Endpoint endpoint, Sink sink, long long frame, long long at, bint give_up) except *
    cdef void pass_on(self, Endpoint endpoint, Sink sink, Segment segment, long long frame, long long at) except *
    cdef void keep_history(self, Endpoint endpoint, bytes data, Py_ssize_t start, Py_ssize_t end) except *
    cdef void forget(self, Endpoint endpoint) except *
    cdef void compare(
        self, Endpoint endpoint, Sink sink, bytes data, Py_ssize_t start, Py_ssize_t end, long long offset, long long frame,
        long long at
    ) except *


cdef void note_resent(Endpoint endpoint, long long n, long long frame) except *
cpdef Segment new_segment(long long offset, bytes data, long long missing, long long frame, long long at)
