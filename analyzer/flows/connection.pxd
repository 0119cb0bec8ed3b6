cimport cython

from analyzer.flows.sink cimport Sink

# Constants that are used for every packet. They are C variables, which are not visible from Python.
cdef long long HALF_WORD, WORD


@cython.freelist(256)
cdef class Segment:
    cdef public long long offset
    cdef public bytes data
    cdef public long long missing
    cdef public long long frame
    cdef public long long at


@cython.no_gc
cdef class Endpoint:
    cdef public Connection connection
    cdef public int side
    cdef public bytes key
    cdef public Endpoint peer
    cdef public long long isn
    cdef public long long next
    cdef public long long offset
    cdef public bint started
    cdef public long long fin
    cdef public long long fin_frame
    cdef public bint fin_acknowledged
    cdef public Reset reset
    cdef public long long acknowledged
    cdef public long long last_frame
    cdef public list pending
    cdef public long long pending_bytes
    cdef public list history
    cdef public int newest
    cdef public long long n_packets
    cdef public long long answered
    cdef public int identification
    cdef public int n_counted

    cpdef void start(self, long long sequence) except *
    cpdef long long position(self, long long sequence) except? -1
    cpdef long long reached(self) except? -1


@cython.no_gc
cdef class Reset:
    cdef public long long position
    cdef public long long peer
    cdef public long long frame
    cdef public long long at
    cdef public long long ahead
    cdef public int hops
    cdef public int identification
    cdef public int jump
    cdef public long long count


@cython.no_gc
cdef class Claim:
    cdef public int side
    cdef public long long isn
    cdef public bint answers
    cdef public bytes data
    cdef public long long frame
    cdef public long long at


@cython.no_gc
@cython.final
cdef class Delivery:
    cdef public list resent
    cdef public list largest
    cdef public list copies
    cdef public list resent_frame
    cdef public list unacknowledged
    cdef public bint begins_late
    cdef public list path_errors


@cython.no_gc
cdef class Connection:
    cdef public Endpoint originator
    cdef public Endpoint responder
    cdef public long long first_frame
    cdef public long long last_frame
    cdef public long long start
    cdef public long long end
    cdef public bint syn
    cdef public str closed
    cdef public str lingers
    cdef public long long limited
    cdef public bint doubtful
    cdef public Claim claim
    cdef public long long answered_at
    cdef public long long fin_at
    cdef public long long now
    cdef public Reset forged
    cdef public int originator_hops
    cdef public int responder_hops
    cdef public Delivery delivery
    cdef public Sink sink

    cpdef Delivery delivered(self)
    cpdef long long packets_of(self, int side) except -1


cpdef long long moved(long long at, long long before, long long after) except -2
