cimport cython
from analyzer.capture.channel cimport Channel
from analyzer.capture.frame cimport Frame
from analyzer.capture.frame_reader cimport FrameReader
from analyzer.capture.file_numbers cimport read_u16, read_u32


cdef long long _LARGEST_FRAME
cdef long long _LARGEST_BLOCK
cdef long long _SECOND
cdef Py_ssize_t _BRIDGE
cdef int _UNKNOWN
cdef int _PCAP
cdef int _PCAPNG
cdef long long _SECTION
cdef long long _INTERFACE
cdef long long _OBSOLETE_PACKET
cdef long long _SIMPLE_PACKET
cdef long long _NAMES
cdef long long _STATISTICS
cdef long long _ENHANCED_PACKET
cdef long long _SECRETS
cdef long long _JOURNAL
cdef long long _PROCESS
cdef long long _CUSTOM
cdef long long _CUSTOM_NOT_COPIED


cdef class PacketReader(FrameReader):
    cdef public str format
    cdef public object error
    cdef public bint recording
    cdef public long long frames
    cdef public long long truncated_frames
    cdef public long long earliest
    cdef public long long latest
    cdef public list sections
    cdef public list comments
    cdef public dict names
    cdef public dict statistics
    cdef public list anomalies
    cdef public int n_interfaces
    cdef public dict links
    cdef int _first_interface
    cdef bytes _data
    cdef Py_ssize_t _position
    cdef Py_ssize_t _size
    cdef Py_ssize_t _needed
    cdef long long _base
    cdef object _pending
    cdef Py_ssize_t _bridged
    cdef bytes _rest
    cdef int _kind
    cdef bint _little
    cdef Py_ssize_t _header
    cdef int _swapped
    cdef int _n_joined
    cdef list _channels
    cdef Channel _channel
    cdef object _facts

    cpdef void close(self) except *
    @cython.locals(captured="long long", at="long long")
    cdef bint _read_plain_record(self) except -1
    @cython.locals(length="long long", captured="long long", index="long long", at="long long")
    cdef bint _read_plain_block(self) except -1
    cdef bint _next(self) except *
    cdef void _take(self, bytes data) except *
    cdef bint _need(self, Py_ssize_t size) except *
    cdef bint _begin(self) except *
    cdef bint _begin_again(self) except *
    @cython.locals(captured="long long", wire="long long", at="long long", body="Py_ssize_t")
    cdef bint _next_record(self) except *
    @cython.locals(kind="long long", length="long long", end="long long")
    cdef bint _next_block(self) except *
    cdef bint _set_byte_order(self, Py_ssize_t position) except *
    @cython.locals(
        index="long long", high="long long", low="long long", captured="long long", wire="long long", body="Py_ssize_t"
    )
    cdef void _read_packet(self, Py_ssize_t position, Py_ssize_t length, bint obsolete) except *
    @cython.locals(captured="long long", wire="long long")
    cdef void _read_simple_packet(self, Py_ssize_t position, Py_ssize_t length) except *
    cdef int _set_frame(
        self, Channel channel, long long at, Py_ssize_t start, Py_ssize_t captured, long long wire, Py_ssize_t position
    ) except -1
    @cython.locals(code="long long", length="long long")
    cdef void _read_frame_options(self, Py_ssize_t at, Py_ssize_t end) except *
    cdef void _read_other_block(self, long long kind, Py_ssize_t position, Py_ssize_t length) except *


cdef long long _u32(const unsigned char *view, Py_ssize_t at, bint little) noexcept
