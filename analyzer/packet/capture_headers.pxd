cimport cython
from analyzer.packet.packet cimport Packet

cdef int _ETHERNET, _PPP, _RAW_IP, _CISCO_HDLC, _WIRELESS, _PKTAP_PACKET

@cython.locals(at=Py_ssize_t, following="long long")
cpdef int unwrap(Packet packet, bytes data, int link_type) except -2

cdef bint _skip(Packet packet, Py_ssize_t n_bytes, str header) except -1

@cython.locals(at=Py_ssize_t, flags=int)
cdef int _unwrap_juniper(Packet packet, bytes data) except -2

@cython.locals(at=Py_ssize_t, following=int)
cdef int _unwrap_pktap(Packet packet, bytes data) except -2

cdef int _little(bytes data, Py_ssize_t at) noexcept

cdef int _big(bytes data, Py_ssize_t at) noexcept
