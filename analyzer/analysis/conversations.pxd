cimport cython
from analyzer.capture.frame cimport Frame
from analyzer.capture.frame_reader cimport FrameReader
from analyzer.packet.header_tests cimport HeaderTest, next_passing
from analyzer.packet.layer_places cimport LayerPlaces
from analyzer.packet.packet cimport Packet

cdef Py_ssize_t _MOST
cdef int _ETHERNET, _IPV4, _IPV6, _TCP, _UDP
cdef int _ETH_HEADER, _IP_HEADER, _IPV6_HEADER, _TCP_HEADER, _UDP_HEADER, _ICMP_HEADER, _ICMPV6_HEADER
cdef int _CELLS
cdef int _SYN, _ACK


cdef class OneWay:
    cdef public bytes key
    cdef public Py_ssize_t stream
    cdef public OneWay peer
    cdef public bint opened
    cdef public long long initial
    cdef public long long n_packets
    cdef public long long n_bytes
    cdef public long long first_frame
    cdef public long long first
    cdef public long long last


cdef class Conversations:
    cdef public int wanted
    cdef public bint fragments
    cdef public list tables
    cdef public list opened
    cdef public list beyond
    cdef public long long n_packets
    cdef public long long n_bytes

    @cython.locals(frame=Frame)
    cpdef void count_passing(self, FrameReader reader, LayerPlaces layers, HeaderTest test, object defragmenter) except *

    @cython.locals(
        index=int, cell=Py_ssize_t, header="long long", start=Py_ssize_t, n_bytes=Py_ssize_t, data=bytes, innermost=bint,
        waits=bint
    )
    cpdef void count(self, LayerPlaces layers, Frame frame) except *

    @cython.locals(table=dict, way=OneWay)
    cdef void add(self, int place, bytes key, Frame frame) except *

    @cython.locals(packet=Packet, key=bytes, table=dict, way=OneWay, peer=OneWay, begins=bint)
    cdef void add_segment(self, LayerPlaces layers, Frame frame) except *

    cdef void take(self, OneWay way, Frame frame) noexcept

    @cython.locals(opened=list, table=dict, way=OneWay, peer=OneWay, back=bytes)
    cdef OneWay open(self, int place, bytes key)


@cython.locals(ports=Py_ssize_t, end=Py_ssize_t, half=Py_ssize_t, back=bytes)
cpdef bytes reversed_key(bytes key, int place)
