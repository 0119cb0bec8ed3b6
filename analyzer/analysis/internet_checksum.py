"""Checks the checksums of IPv4, TCP and UDP (RFC 1071): of one packet that was captured whole.

A checksum is the ones' complement of the ones' complement sum of all 16-bit words; TCP and UDP include a pseudo-header with the
addresses (RFC 9293 section 3.1, RFC 768, RFC 8200 section 8.1). Most systems leave it to the network card: the driver of the
sender puts the sum of the pseudo-header alone in the field, or zero, and a capture on the sender sees that. Such a checksum is
`UNFINISHED`. It says where the capture was made, and nothing about the packet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.packet.packet import Packet

if TYPE_CHECKING:
    import cython

_COMPILED: bool = not __file__.endswith(".py")

GOOD, WRONG, UNFINISHED, UNCHECKED = 0, 1, 2, 3
"""Results. UNCHECKED: the packet is not whole, has no checksum, or is larger than what a network carries."""

LARGEST_CHECKED = 9216
"""Bytes of the largest packet that is checked. Larger ones are pieces that a network card splits or has joined: their checksum
was never on the wire.
"""

# In the compiled build these are C variables, which other modules cannot see.
_GOOD, _WRONG, _UNFINISHED, _UNCHECKED = GOOD, WRONG, UNFINISHED, UNCHECKED
_LARGEST = LARGEST_CHECKED


def check_ip(packet: Packet) -> cython.int:
    """Return the result for the header checksum of an IPv4 packet; UNCHECKED for any other one."""
    at: cython.Py_ssize_t = packet.ip
    data: bytes = packet.data
    if packet.ip_version != 4 or at < 0 or 20 > len(data) - at:
        return _UNCHECKED
    n_header: cython.Py_ssize_t = (data[at] & 15) << 2
    if n_header < 20 or n_header > len(data) - at or n_header > packet.payload - at:
        return _UNCHECKED
    if sum_of(data, at, at + n_header) == 0xFFFF:
        return _GOOD
    return _UNFINISHED if data[at + 10] == 0 and data[at + 11] == 0 else _WRONG


def check_transport(packet: Packet) -> cython.int:
    """Return the result for the checksum of a TCP segment or UDP datagram; UNCHECKED for any other packet.

    Packets with IP options or extension headers are not checked: they may name another destination for the pseudo-header.
    """
    data: bytes = packet.data
    at: cython.Py_ssize_t = packet.ip
    start: cython.Py_ssize_t = packet.transport
    n: cython.Py_ssize_t = packet.payload_end - start
    tcp: cython.bint = packet.protocol == 6
    n_addresses: cython.Py_ssize_t = 8 if packet.ip_version == 4 else 32
    field: cython.Py_ssize_t = start + (16 if tcp else 6)
    if packet.missing > 0 or packet.problem_at >= 0 or packet.fragment or n > _LARGEST or at < 0:
        return _UNCHECKED
    if not (tcp or packet.protocol == 17) or n < (20 if tcp else 8) or n > len(data) - start:
        return _UNCHECKED
    if start - at != (20 if n_addresses == 8 else 40):
        return _UNCHECKED
    if (data[at + 2] | data[at + 3]) == 0 if n_addresses == 8 else (data[at + 4] | data[at + 5]) == 0:
        return _UNCHECKED  # its length does not fit in the field
    stored: cython.longlong = data[field] << 8 | data[field + 1]
    if stored == 0 and not tcp:
        return _UNCHECKED
    addresses: cython.longlong = sum_of(data, start - n_addresses, start) + packet.protocol
    pseudo: cython.longlong = folded(addresses + n)
    if folded(pseudo + sum_of(data, start, start + n)) == 0xFFFF:
        return _GOOD
    return _UNFINISHED if stored == pseudo or stored == folded(addresses) or stored == 0 else _WRONG


def sum_of(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.longlong:
    """Return the ones' complement sum of `data[start:end]`, folded to 16 bits. The caller has checked the range."""
    if _COMPILED:
        return sum_at(data, start, end - start)  # type: ignore[name-defined,no-any-return]  # noqa: F821 - in the .pxd
    part = data[start:end] + b"\0" * ((end - start) & 1)
    return folded(sum(part[::2]) * 256 + sum(part[1::2]))


def folded(total: cython.longlong) -> cython.longlong:
    """Return a sum with its carries added, until it has 16 bits."""
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


COMPILED: bool = not __file__.endswith(".py")
