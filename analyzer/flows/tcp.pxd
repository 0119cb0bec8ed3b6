cimport cython

from analyzer.codec.cut cimport cut
from analyzer.packet.packet cimport Packet
from analyzer.flows.sink cimport Sink

# Constants that are looked at for every packet; as C variables they are not visible from Python.
cdef int FIN, SYN, RST, ACK, HISTORY_SLOTS, LINGER_CONNECTIONS, RECENT
cdef long long HALF_WORD, HELD_TOTAL, HISTORY_TOTAL, LINGER, SEGMENT_COST, WORD


@cython.freelist(256)
cdef class Segment:
    cdef public long long offset
    cdef public bytes data
    cdef public long long missing
    cdef public long long frame
    cdef public long long at


cdef Segment new_segment(long long offset, bytes data, long long missing, long long frame, long long at)


@cython.no_gc
cdef class Half:
    cdef public Connection connection
    cdef public int side
    cdef public bytes key
    cdef public Half peer
    cdef public long long isn
    cdef public long long next
    cdef public long long offset
    cdef public bint started
    cdef public long long fin
    cdef public long long acknowledged
    cdef public long long last_frame
    cdef public list pending
    cdef public long long pending_bytes
    cdef public list history
    cdef public int newest
    cdef public long long n_packets
    cdef public long long n_bytes

    cpdef void start(self, long long sequence) except *


@cython.no_gc
cdef class Connection:
    cdef public Half opener
    cdef public Half answerer
    cdef public long long first_frame
    cdef public long long last_frame
    cdef public long long start
    cdef public long long end
    cdef public bint syn
    cdef public str closed
    cdef public str lingers
    cdef public long long limited
    cdef public Sink sink


cdef class Listener:
    cdef public long long held

    cpdef Sink open(self, Connection connection)


cdef class Connections:
    cdef public Listener listener
    cdef public dict halves
    cdef public list recent
    cdef public list lingering
    cdef public object tombs
    cdef public object waiting
    cdef public long long n_open
    cdef public long long pending
    cdef public long long history
    cdef public long long swept
    cdef public long long evicted

    cpdef void feed(self, Packet packet, long long frame, long long at) except *
    cdef Half find(self, Packet packet)
    cdef bint drained(self, Connection connection) except *
    cdef bint reused(self, Half half, Packet packet) except *
    cdef bint goes_on(self, Half half, Packet packet) except *
    cdef Half open(self, Packet packet, long long frame, long long at)
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
    cdef void linger(self, Connection connection, str reason, long long at) except *
    cdef void expire(self, long long frame, long long at) except *
    cdef void sweep(self, long long frame, long long at) except *
    cdef void evict(self, long long frame, long long at) except *
    cdef void end(self, Connection connection, str reason, long long frame, long long at) except *
    cdef void bury(self, Connection connection) except *
    cpdef void close(self, long long frame, long long at) except *


cdef Py_ssize_t place_of(bytes key) except -1
