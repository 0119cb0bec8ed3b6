cimport cython
from analyzer.capture.frame cimport Frame
from analyzer.capture.frame_reader cimport FrameReader
from analyzer.capture.file_numbers cimport read_u32


cdef bint _LITTLE
cdef Py_ssize_t _BLOCK_HEADER
cdef Py_ssize_t _PACKET_HEADER
cdef Py_ssize_t _ADDRESS
cdef long long _NEVER
cdef long long _SECOND
cdef long long _VLAN_VALID
cdef long long _VLAN_TPID_VALID
cdef int _OUTGOING
cdef int _LOOPBACK
cdef long long _DOT1Q
cdef Py_ssize_t _MOST_HEADERS


cdef class RingChannel:
    cdef public int number
    cdef public int link_type
    cdef public bint cooked
    cdef public long long at
    cdef public long long left
    cdef public bytes data
    cdef public Py_ssize_t position
    cdef public long long duplicates
    cdef public bint idle
    cdef dict _headers

    cpdef void load(self, bytes block) except *
    cdef void next(self) except *
    @cython.locals(position="Py_ssize_t", address="Py_ssize_t")
    cdef void find(self) except *
    @cython.locals(
        key=bytes, known=bytes, protocol=bytes, index=bytes, hardware=bytes, after=bytes, header=bytes
    )
    cdef bytes cooked_header(self, Py_ssize_t address, bytes tag)
    @cython.locals(step="long long")
    cdef void _step(self) except *


cdef class RingReader(FrameReader):
    cdef public list channels
    cdef public long long frames
    cdef public long long horizon

    @cython.locals(channel=RingChannel)
    cpdef bint advance(self) except *
    cpdef bint ready(self) except *
    @cython.locals(best=RingChannel, channel=RingChannel, horizon="long long")
    cdef RingChannel _choose(self)
    @cython.locals(
        data=bytes, position="Py_ssize_t", captured="long long", wire="long long", start="Py_ssize_t", frame=Frame, tag=bytes
    )
    cdef void _set_frame(self, RingChannel channel) except *
    @cython.locals(frame=Frame)
    cdef void _put(self, bytes data) except *


cdef long long _read_u16(bytes data, Py_ssize_t at) except -1
cdef long long _hardware_type(bytes data, Py_ssize_t address) except -1
@cython.locals(tpid="long long", tci="long long")
cdef bytes _vlan_tag(bytes data, Py_ssize_t position)
