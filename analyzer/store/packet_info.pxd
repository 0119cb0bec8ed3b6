cimport cython

from analyzer.capture.frame cimport Frame
from analyzer.codec.byte_slices cimport slice_bytes
from analyzer.engine.engine cimport Engine
from analyzer.packet.packet cimport Packet

cdef int _TCP, _UDP, _ESP, _MACSEC, _SYN, _ACK, _ALL_FLAGS, _NO_CONNECTION, MAX_REMEMBERED
cdef long long _WORD
cdef bytes _STAMPED
cdef dict _ADDRESSES
cdef list _NOTHING


@cython.final
cdef class Describer:
    cdef Engine _engine
    cdef object _plaintext
    cdef object _quic
    cdef dict _scales
    cdef dict _firsts
    cdef list _flags
    cdef dict _known_options
    cdef dict _udp_names
    cdef object _services
    cdef object _protocols

    @cython.locals(packet=Packet, source=str, destination=str, protocol=str, info=str, shown=list)
    cpdef tuple describe(self, Frame frame, object events)
    @cython.locals(number=int, data=bytes, n_bytes="long long")
    cdef tuple _describe_packet(self, Packet packet, Frame frame, list shown)
    @cython.locals(
        bits=int, flags=str, key=bytes, back=bytes, first=Py_ssize_t, window="long long", n_options=Py_ssize_t, options=str,
        at=Py_ssize_t, sequence="long long", acknowledgement="long long", n_bytes="long long"
    )
    cdef str _tcp(self, Packet packet)
    @cython.locals(raw=bytes, known=tuple)
    cdef str _options(self, Packet packet, bytes key)
    @cython.locals(first=Py_ssize_t)
    cdef Py_ssize_t _relative(self, Py_ssize_t number, bytes key, Py_ssize_t known) except -1
    @cython.locals(n_bytes="long long", info=str, ports=tuple, name=str)
    cdef tuple _udp(self, Packet packet)
    cdef str _udp_name(self, tuple ports)


@cython.locals(data=bytes, at=Py_ssize_t)
cpdef tuple addresses(Packet packet, Frame frame)
@cython.locals(known=str)
cdef str _address_text(bytes octets)
cdef str _flag_text(int bits)
cdef Py_ssize_t _number(bytes data, Py_ssize_t at) except -1
