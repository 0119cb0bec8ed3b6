from analyzer.packet.packet cimport Packet
from analyzer.flows.connection cimport Claim, Connection, Endpoint, Reset

cdef int ACK, LARGEST_STEP, LEAST_COUNTED, SYN
cdef long long FARTHEST_RESET, JUMP, WORD

cpdef void note_begin(Endpoint endpoint, Packet packet, long long at) except *
cpdef void note_reset(Endpoint endpoint, Packet packet, long long frame, long long at) except *
cpdef void count_identification(Endpoint endpoint, Packet packet) except *
cdef int hops_of(Packet packet) except? -2
cpdef bint goes_on(Endpoint endpoint, Packet packet) except -1
cpdef bint begin_earlier(Endpoint endpoint, long long sequence, long long begin) except -1
cpdef bint is_in_use(Connection connection) except -1
cpdef bint is_near(Endpoint endpoint, Packet packet) except -1
cpdef bint confirms(Claim claim, Endpoint endpoint, Packet packet) except -1
