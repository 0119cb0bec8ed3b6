cimport cython

from analyzer.codec.cut cimport cut
from analyzer.streams.tcp cimport Connection
from analyzer.tls.links cimport Links, Origin
from analyzer.tls.records cimport RecordReader
from analyzer.tls.session_sink cimport SessionSink
from analyzer.tls.tidings cimport Tidings

cdef int APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE
cdef int CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET, SESSION_TICKET, SSL2
cdef int LONGEST_TOLD, MOST_HELD, HOLDING_COST, HELD_AT_FIRST, TOLD_AT_FIRST
cdef int BEGIN, CONFLICT, FINISH, LACKS, LOST, RECORD, SIDE, STOP, TURN, TYPE, VERSION, VIOLATION
cdef bytes CHOSEN_13


@cython.final
cdef class Router:
    cdef public list outboxes
    cdef public bint opens
    cdef public Links links

    cpdef void end_turn(self) except *
    cpdef list take(self)
    cdef Py_ssize_t resuming(self, bytes session_id, bytes ticket) except? -2


@cython.no_gc
@cython.final
cdef class Envoy(SessionSink):
    cdef public long long id
    cdef public int client
    cdef public Connection connection
    cdef public Router router
    cdef public Py_ssize_t process
    cdef public Tidings held
    cdef public bint opens
    cdef public Origin origin
    cdef public list settled
    cdef public list parts
    cdef public list needs
    cdef public bytes ticket

    cdef void tell(
        self, long long word, long long frame, long long at, long long length, long long missing, bytes body
    ) except *
    cdef void assign(self, Py_ssize_t process) except *
    cdef void look(self, int side, bytes body) except *
    cdef void hear(self, int side, bytes data, Py_ssize_t pos, Py_ssize_t end) except *
    cdef Origin as_origin(self)


cpdef bytes offered_ticket(bytes data, Py_ssize_t pos, Py_ssize_t end)
