"""Reads the ECN codepoint of a datagram from the IP header before it (RFC 3168 section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import cython

_UDP, _UDP_HEADER, _IP4, _IP6 = 17, 8, 20, 40


def codepoint_before(data: bytes, payload: cython.Py_ssize_t, key_length: cython.Py_ssize_t) -> cython.int:
    """Return the ECN codepoint of the datagram whose payload begins at `payload`; -1 if no plain IP header is before it.

    0 is Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE. key_length: of `Packet.key`, 12 with IPv4, 36 with IPv6. Datagrams of fragments and
    headers with options have no such header there.
    """
    at: cython.Py_ssize_t = payload - _UDP_HEADER - (_IP4 if key_length == 12 else _IP6)
    if at < 0 or payload > len(data):
        return -1
    length: cython.int = data[payload - 4] << 8 | data[payload - 3]
    if key_length == 12:
        if data[at] != 0x45 or data[at + 9] != _UDP or (data[at + 2] << 8 | data[at + 3]) != length + _IP4:
            return -1
        return data[at + 1] & 3
    if data[at] >> 4 != 6 or data[at + 6] != _UDP or (data[at + 4] << 8 | data[at + 5]) != length:
        return -1
    return data[at + 1] >> 4 & 3
