cimport cython
from analyzer.packet.capture_headers cimport unwrap
from analyzer.packet.packet cimport Packet

cdef int _IPV4, _IPV6, _MPLS, _ETHERNET, _LABEL_LIMIT, _ATTRIBUTE_LIMIT
cdef frozenset _BUS_TYPES

@cython.locals(at=Py_ssize_t)
cpdef int read_link(Packet packet, bytes data, int link_type) except -2

@cython.locals(at=Py_ssize_t)
cpdef int read_shim(Packet packet, bytes data, int ether_type) except -2

@cython.locals(version=int)
cpdef int read_version(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t)
cdef int _read_ethernet(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, n_bytes=Py_ssize_t)
cdef int _read_macsec(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, n_bytes=Py_ssize_t, following=int)
cdef int _read_service_header(Packet packet, bytes data) except -2

cdef int _skip(Packet packet, Py_ssize_t n_bytes, str header) except -2

cdef int _read_cooked(Packet packet, bytes data, int protocol) except -2

@cython.locals(at=Py_ssize_t)
cdef int _read_llc(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, family=int)
cdef int _read_family(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, protocol=int)
cdef int _read_ppp(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t)
cdef int _read_hdlc(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, n_bytes=Py_ssize_t)
cdef int _read_pppoe(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t)
cdef int _read_mpls(Packet packet, bytes data) except -2

cdef int _read_fddi(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, n_bytes=Py_ssize_t)
cdef int _read_radiotap(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, flags=int, n_header=Py_ssize_t)
cdef int _read_wireless(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, family=int, little=bint, kind=int, n_bytes=Py_ssize_t)
cdef int _read_netfilter_log(Packet packet, bytes data) except -2
