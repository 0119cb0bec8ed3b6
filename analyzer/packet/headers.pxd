cimport cython
from analyzer.packet.link_layers cimport read_link, read_shim, read_version
from analyzer.packet.packet cimport Packet
from analyzer.packet.tunnels cimport enter, enter_udp

cdef int _IPV4, _IPV6, _LLC, _TCP, _UDP, _AUTHENTICATION, _LAYER_LIMIT, _EXTENSION_LIMIT

cpdef bint read(Packet packet, bytes data, Py_ssize_t start, Py_ssize_t end, int link_type, long long wire_length) except -1

cpdef bint read_ip(Packet packet, bytes data, Py_ssize_t start, Py_ssize_t end) except -1

@cython.locals(protocol=int)
cdef bint _read_chain(Packet packet, bytes data, int ether_type) except -1

@cython.locals(at=Py_ssize_t, n_header=Py_ssize_t, total=Py_ssize_t, fragment=int)
cpdef int read_ipv4(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, n_bytes="long long")
cpdef int read_ipv6(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, kind=int, n_bytes=Py_ssize_t)
cdef int _read_extensions(Packet packet, bytes data, Py_ssize_t announced_at) except -2

@cython.locals(at=Py_ssize_t, n_bytes=Py_ssize_t)
cdef int _read_authentication(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, end=Py_ssize_t, n_header=Py_ssize_t, kind=int, n_bytes=Py_ssize_t)
cdef long long _read_jumbo_length(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, n_header=Py_ssize_t, left=Py_ssize_t)
cpdef bint read_tcp(Packet packet, bytes data) except -1

@cython.locals(at=Py_ssize_t, n_bytes=Py_ssize_t)
cpdef bint read_udp(Packet packet, bytes data) except -1

@cython.locals(at=Py_ssize_t)
cdef int _read_ports(Packet packet, bytes data) except -1

@cython.locals(high="long long")
cdef long long _read_uint32(bytes data, Py_ssize_t at) except -1
