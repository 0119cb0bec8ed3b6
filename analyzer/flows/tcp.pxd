cimport cython

from analyzer.packet.packet cimport Packet
from analyzer.flows.connection cimport Claim, Connection, Endpoint, Reset, moved
from analyzer.flows.doubts cimport begin_earlier, confirms, goes_on, is_in_use, is_near, note_begin, note_reset
from analyzer.flows.listener cimport Listener
from analyzer.flows.reassembly cimport Reassembler, new_segment
from analyzer.flows.sink cimport Sink

# Constants that are used for every packet. They are C variables, which are not visible from Python.
cdef int ACK, FIN, LINGER_CONNECTIONS, RECENT, RST, SYN
cdef long long HALF_WORD, HELD_TOTAL, IDLE, JUMP, LARGEST_CLAIM, LINGER, RESET_LINGER, SWEEP_PACKETS, WORD


@cython.final
cdef class Connections:
    cdef public Listener listener
    cdef public dict endpoints
    cdef public list recent
    cdef public list lingering
    cdef public list resets
    cdef public object closed
    cdef public Reassembler reassembler
    cdef public long long frame
    cdef public long long n_open
    cdef public long long n_since_sweep
    cdef public long long evicted
    cdef public long long longest_wait

    cpdef void feed(self, Packet packet, long long frame, long long at) except *
    cdef Endpoint settle(self, Endpoint endpoint, Packet packet, long long frame, long long at)
    cdef void note_claim(self, Endpoint endpoint, Packet packet, long long frame, long long at) except *
    cdef Endpoint look(self, Endpoint endpoint, Packet packet, long long frame, long long at)
    cdef void note_fin(self, Endpoint endpoint, long long sequence, long long frame, long long at) except *
    cdef void withdraw_fin(self, Endpoint endpoint, long long at) except *
    cdef Endpoint take_claim(self, Endpoint endpoint, long long frame, long long at)
    cpdef void doubt_fragments(self, Packet packet, bytes other, long long frame, long long at) except *
    cdef Endpoint find(self, Packet packet)
    cdef bint is_complete(self, Connection connection) except *
    cdef bint reused(self, Endpoint endpoint, Packet packet) except *
    cdef bint has_new_bytes(self, Endpoint endpoint, Packet packet) except *
    cdef Endpoint open(self, Packet packet, long long frame, long long at)
    cdef Connection begin(self, bytes key, bytes reverse, long long frame, long long at)
    cdef void linger(self, Connection connection, str reason, long long at) except *
    cdef void expire(self, long long frame, long long at) except *
    cdef void expire_from(self, list waiting, long long frame, long long at) except *
    cdef long long wait_of(self, Connection connection) except *
    cpdef void tick(self, long long at) except *
    cpdef void set_clock(self, long long before, long long after) except *
    cdef void sweep(self, long long frame, long long at) except *
    cdef void close_idle(self, long long frame, long long at) except *
    cdef void evict(self, long long frame, long long at) except *
    cdef void end(self, Connection connection, str reason, long long frame, long long at) except *
    cdef void drop(self, Connection connection) except *
    cpdef void close(self, long long frame, long long at) except *


cdef Py_ssize_t slot_of(bytes key) except -1
