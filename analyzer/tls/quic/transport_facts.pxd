cimport cython

from analyzer.tls.quic.packet_numbers cimport PacketNumbers

cdef int _MAX_LISTED, _BOTH, _APPLICATION
cdef long long _FARTHEST_ACK, _FARTHEST_INITIAL_ACK


@cython.final
cdef class Sent:
    cdef public PacketNumbers acknowledged
    cdef public long long begun
    cdef public long long count
    cdef public int generation
    cdef public long long most
    cdef public PacketNumbers seen
    cdef public tuple small


@cython.final
cdef class Marks:
    cdef int _latest
    cdef long long _run
    cdef list _seen
    cdef int _spins
    cdef public list reported

    cpdef void see(self, int role, int first, int codepoint) except *


cdef class TransportFacts:
    cdef public object close
    cdef public long long current
    cdef public long long done
    cdef public list doubtful
    cdef public dict heard
    cdef public tuple ids
    cdef public tuple last
    cdef public Marks marks
    cdef public long long negotiated
    cdef public list offered
    cdef public bytes original_id
    cdef public list parameters
    cdef public list paths
    cdef public list probes
    cdef public tuple reset
    cdef public list retries
    cdef public tuple sent
    cdef public long long strays
    cdef public tuple updates
    cdef public list versions

    cpdef long long n_packets(self, int role, int level) except -1
    cpdef void take_small(self, long long frame, long long n_bytes) except *
    cpdef void take_update(self, int role, int generation, long long frame) except *
    cpdef void add_version(self, long long number) except *
    cpdef void add_id(self, int role, bytes connection_id) except *
    cpdef void add_path(self, bytes key, long long frame) except *
    cpdef bint has_path(self, bytes key) except -1
    cpdef void hear(self, int role, bytes key, long long frame) except *
    cpdef void count_initial(self, int role, long long number) except *
    cpdef void settle_initials(self, bytes source, set forged) except *
    cpdef void take_ack(self, int role, int level, list ranges, object ecn) except *
