cimport cython
from analyzer.packet.headers cimport read_ipv4, read_ipv6, read_tcp, read_udp
from analyzer.packet.link_layers cimport read_link, read_shim, read_version
from analyzer.packet.packet cimport Packet
from analyzer.packet.tunnels cimport enter, enter_udp

cdef int _CELLS, _LAYER_LIMIT
cdef int _ETH, _VLAN, _SLL, _SLL2, _ARP, _IP, _IPV6
cdef int _HOPOPTS, _ROUTING, _FRAGHDR, _DSTOPTS, _TCP, _UDP, _ICMP, _ICMPV6
cdef int _AH, _ESP, _MACSEC, _NFLOG, _GRE, _ERSPAN, _VXLAN, _CAPWAP, _BUS


@cython.final
cdef class Place:
    cdef public int kind
    cdef public int form
    cdef public Py_ssize_t at
    cdef public Py_ssize_t width
    cdef public long long mask
    cdef public int shift
    cdef public int factor


@cython.final
cdef class LayerPlaces:
    cdef public long long[::1] cells
    cdef public long long kinds
    cdef public int count
    cdef public bytes data
    cdef public bytes datagram
    cdef public Packet packet
    cdef public bint reassembled

    @cython.locals(following=int, n_bytes=Py_ssize_t)
    cpdef bint find(self, bytes data, Py_ssize_t start, Py_ssize_t end, int link_type, long long wire_length) except -1

    cpdef void find_rest(self, bytes datagram) except *

    cpdef bint has(self, int kind) noexcept

    @cython.locals(index=int)
    cpdef int first(self, int kind) noexcept

    cpdef int kind(self, int index) noexcept

    @cython.locals(cell=Py_ssize_t, at=Py_ssize_t, i=Py_ssize_t, value="long long", data=bytes)
    cpdef Py_ssize_t number(self, int index, Place place) except? -1

    @cython.locals(cell=Py_ssize_t)
    cpdef bint is_at(self, int index, Place place) noexcept

    @cython.locals(cell=Py_ssize_t, n_bytes=Py_ssize_t, at=Py_ssize_t, i=Py_ssize_t, data=bytes)
    cpdef bint equals(self, int index, Place place, bytes octets, bytes mask) except -1

    @cython.locals(index=int, cell=Py_ssize_t, place=Place, value="long long")
    cpdef list values(self, tuple places)

    @cython.locals(cell=Py_ssize_t, start=Py_ssize_t, end=Py_ssize_t, data=bytes)
    cpdef bytes octets(self, int index, Place place)

    @cython.locals(cell=Py_ssize_t, data=bytes)
    cpdef bytes header(self, int index)

    @cython.locals(kind=int, ports=bytes, addresses=bytes)
    cpdef bytes key(self, int index)

    @cython.locals(cell=Py_ssize_t, start=Py_ssize_t, end=Py_ssize_t, data=bytes)
    cpdef bytes behind(self, int index, Py_ssize_t n_bytes)

    @cython.locals(octets=bytearray, end="long long", index=int, cell=Py_ssize_t, bits=int)
    cpdef bytes shape(self)

    @cython.locals(wanted="long long", number=int, i=int)
    cpdef int layer_number(self, int index) except -1

    @cython.locals(cell=Py_ssize_t)
    cdef void _add(self, int kind, Py_ssize_t start, Py_ssize_t end) noexcept

    cdef void _add_with_type(self, int kind, Py_ssize_t start, Py_ssize_t end, int number) noexcept

    @cython.locals(length=int, data=bytes)
    cdef void _add_cooked(self, int kind, Py_ssize_t start, Py_ssize_t end, Py_ssize_t hardware, int number) except *

    @cython.locals(
        at=Py_ssize_t, end=Py_ssize_t, protocol=int, following=int, inside=bint, quoted=bint, whole=bint, packet=Packet
    )
    cdef void _follow(self, bytes data, int ether_type) except *

    @cython.locals(end=Py_ssize_t, kind=int, n_bytes=Py_ssize_t, packet=Packet)
    cdef void _add_ip(self, bytes data, Py_ssize_t at) except *

    @cython.locals(end=Py_ssize_t, n_bytes=Py_ssize_t)
    cdef void _add_arp(self, bytes data, Py_ssize_t at) except *

    @cython.locals(first=int, kind=int, quotes=bint, end=Py_ssize_t)
    cdef int _add_icmp(self, bytes data, Py_ssize_t at, int protocol) except -1

    @cython.locals(source=int, port=int, entered=bint, end=Py_ssize_t, packet=Packet)
    cdef void _add_in_udp(self, bytes data, Py_ssize_t at) except *

    @cython.locals(packet=Packet, flags=int, n_bytes=Py_ssize_t)
    cdef void _add_gre(self, bytes data, Py_ssize_t at) except *
