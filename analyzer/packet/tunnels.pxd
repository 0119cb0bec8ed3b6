cimport cython
from analyzer.packet.packet cimport Packet

cdef int _IPV4, _IPV6, _MPLS, _ETHERNET, _PPP, _ERSPAN_II, _ERSPAN_III, _NSH, _CAPWAP_CONTROL, _CAPWAP_DATA
cdef int _GTP_EXTENSION_LIMIT, _TAG_LIMIT, _LABEL_LIMIT

@cython.locals(at=Py_ssize_t)
cpdef int enter(Packet packet, bytes data, int protocol) except -2

@cython.locals(port=int)
cpdef int enter_udp(Packet packet, bytes data) except -2

cdef bint _is_payload(int ether_type) noexcept

@cython.locals(at=Py_ssize_t, left=Py_ssize_t, version=int, ether_type=int, n_header=Py_ssize_t, kind=int)
cdef int _enter_gre(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, flags=int, following=int, ether_type=int)
cdef int _enter_vxlan(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, n_header=Py_ssize_t, ether_type=int)
cdef int _enter_geneve(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, left=Py_ssize_t, n_bytes=Py_ssize_t, n_header=Py_ssize_t, following=int, version=int)
cdef int _enter_gtp(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, end=Py_ssize_t)
cdef int _enter_teredo(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, n_header=Py_ssize_t, ether_type=int)
cdef int _enter_ayiya(Packet packet, bytes data) except -2

@cython.locals(
    at=Py_ssize_t, flags=int, left=Py_ssize_t, n_bytes=Py_ssize_t, n_header=Py_ssize_t, start=Py_ssize_t, first=int,
    protocol=int
)
cdef int _enter_l2tp(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t)
cdef int _enter_mpls(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, end=Py_ssize_t)
cdef int _enter_tzsp(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t)
cdef bint _skip_preamble(Packet packet, bytes data) except -1

@cython.locals(at=Py_ssize_t, n_header=Py_ssize_t)
cdef int _enter_capwap(Packet packet, bytes data) except -2

@cython.locals(left=Py_ssize_t, control=int, flags=int, n_header=Py_ssize_t, ether_type=int)
cdef int _enter_wireless(Packet packet, bytes data, Py_ssize_t at) except -2
