# cython: boundscheck=False, initializedcheck=False
"""Tells whether the capture has a packet already: a second copy of the same packet, not one that was sent again.

A mirror port may copy what comes in and what goes out, `any` sees a packet at each interface on its way through the machine,
and a packet may be there with and without its VLAN tag. All of these are the same IP packet within a short time, with the same
identification (RFC 6864: unique among the packets of two hosts that live at the same time; a retransmission gets a new one),
and with the same time to live, or one less behind a router. IPv6 and atomic IPv4 packets have no identification, or one that
stays the same from packet to packet (RFC 6864 section 4.1), which some senders do. There a copy has the same checksum, and was
captured at another place (interface, VLAN, link header). At the same place nothing in the packet tells a copy from one that was
sent again. A SYN that comes again at once is a copy, as nobody sends it again so soon; any other segment only if most of the
others of its flow came twice too. Address translation makes other packets, not copies.

Nothing is left out because of this: a copy is read as any packet, so bytes that differ are still found. It is not counted.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from analyzer.packet.packet import Packet

if TYPE_CHECKING:
    import cython

SLOTS = 2048
"""Packets that are remembered at one time, at most: 115 kB. A copy comes after some tens of others."""

WINDOW = 10_000_000
"""Nanoseconds between a packet and its copy. Queues of mirror ports are shorter."""

SOON = 100_000
"""Nanoseconds between a packet and its copy at the same place, which is the time that a mirror needs."""

FLOWS = 256
"""Flows of which it is known at one time how many of their segments came twice."""

RECENT_SEGMENTS = 64
"""Segments of a flow that count for this, about."""

# In the compiled build these are C variables, which other modules cannot see.
_SLOTS, _WINDOW, _SOON, _FLOWS, _RECENT = SLOTS, WINDOW, SOON, FLOWS, RECENT_SEGMENTS
_CELLS = 7
_SPREAD, _WORD = 0x61C88647, 0xFFFFFFFF
_CONSTANT = 0x10000
_TCP = 6
_SYN, _SYN_FIN = 2, 3
_PLACE_BYTES = 12
"""Bytes of a link header that tell places apart: hardware addresses, or interface and direction of a Linux cooked header."""


class PacketCopies:
    """Remembers the packets of the last moment. `first_of` takes them in the order of the capture.

    cells: for each slot the numbers of the packet that was there last: three of its headers, its time, its frame, its time to
    live with the place of the capture (0 where the identification was enough), and whether it came twice. flows: for each of
    FLOWS, how many segments without an identification of their own came, and how many of them twice at the same place. latest:
    for each of FLOWS, the identification of the last packet, and whether the one before it was another packet with the same.
    """

    __slots__ = ("cells", "flows", "latest")

    def __init__(self) -> None:
        self.cells = array("q", bytes(8 * _CELLS * SLOTS))
        self.flows = array("q", bytes(16 * FLOWS))
        self.latest = array("q", bytes(8 * FLOWS))

    def first_of(self, packet: Packet, interface: cython.int, frame: cython.longlong, at: cython.longlong) -> cython.longlong:
        """Remember a TCP or UDP packet whose headers are whole. Return the frame of which it is a copy, 0 for none.

        interface, frame, at: where, in which frame and when it was captured. Without a time (-1) nothing is a copy.
        """
        data: bytes = packet.data
        start: cython.Py_ssize_t = packet.ip
        transport: cython.Py_ssize_t = packet.transport
        n_bytes: cython.longlong = packet.payload_end - packet.payload + packet.missing
        identification: cython.longlong = 0
        hops: cython.longlong
        if packet.ip_version == 4:
            identification = data[start + 4] << 8 | data[start + 5]
            hops = data[start + 8]
        else:
            hops = data[start + 7]
        first: cython.longlong
        second: cython.longlong
        if packet.protocol == _TCP:
            first = packet.sequence << 16
            second = packet.acknowledgement
            if identification == 0:
                first |= data[transport + 16] << 8 | data[transport + 17]
        else:
            first = 0
            if identification == 0:
                first = data[transport + 6] << 8 | data[transport + 7]
            second = 0
            if packet.payload_end - packet.payload >= 4:  # the checksum may be unfinished, so a few bytes of the content too
                second = data[packet.payload] << 24 | data[packet.payload + 1] << 16
                second |= data[packet.payload_end - 2] << 8 | data[packet.payload_end - 1]
        ends: cython.longlong = ends_of(packet)
        first ^= ends << 16
        second = second << 16 | identification
        third: cython.longlong = packet.source_port << 16 | packet.destination_port
        third = (third << 16 | (n_bytes & 0xFFFF)) << 12 | packet.flags
        sender: cython.Py_ssize_t = ((ends ^ packet.source_port) * _SPREAD >> 20) % _FLOWS
        steady: cython.bint = identification > 0 and self.latest[sender] & 0xFFFF == identification
        place: cython.longlong = 0
        flow: cython.Py_ssize_t = -1
        if identification == 0 or steady:
            place = place_of(packet, interface) + 1
            # Acknowledgements that ask for lost bytes are all the same, and an RST answers each late segment.
            if packet.protocol == _TCP and (n_bytes > 0 or packet.flags & _SYN_FIN != 0):
                flow = (packet.source_port ^ packet.destination_port) % _FLOWS * 2
        slot: cython.longlong = (first ^ first >> 16 ^ second >> 16 ^ identification << 16 ^ third >> 28) & _WORD
        index: cython.Py_ssize_t = ((slot * _SPREAD >> 20) & (_SLOTS - 1)) * _CELLS
        if self.cells[index] == first and self.cells[index + 1] == second and self.cells[index + 2] == third:
            since: cython.longlong = at - self.cells[index + 3]
            fewer: cython.longlong = (self.cells[index + 5] & 0xFF) - hops
            before: cython.longlong = self.cells[index + 5] >> 8
            elsewhere: cython.bint = place > 0 and before > 0 and place != before
            if at >= 0 and -_WINDOW <= since <= _WINDOW and 0 <= fewer <= 1:
                fresh: cython.bint = identification > 0 and self.latest[sender] & _CONSTANT == 0
                soon: cython.bint = flow >= 0 and not elsewhere and -_SOON <= since <= _SOON
                if fresh or elsewhere or (soon and self.comes_twice(flow, index, packet.flags)):
                    self.cells[index + 5] = self.cells[index + 5] >> 8 << 8 | hops
                    return self.cells[index + 4]
                if soon:
                    flow = -1  # it counts already
        else:
            self.cells[index + 6] = 0
            if identification > 0:
                self.latest[sender] = identification | (_CONSTANT if steady else 0)
        self.cells[index] = first
        self.cells[index + 1] = second
        self.cells[index + 2] = third
        self.cells[index + 3] = at
        self.cells[index + 4] = frame
        self.cells[index + 5] = place << 8 | hops
        if flow >= 0:
            self.cells[index + 6] = 0
            if self.flows[flow] >= _RECENT:
                self.flows[flow] >>= 1
                self.flows[flow + 1] >>= 1
            self.flows[flow] += 1
        return 0

    def comes_twice(self, flow: cython.Py_ssize_t, index: cython.Py_ssize_t, flags: cython.int) -> cython.bint:
        """Count a segment that came again at once; return whether it is a copy: a SYN, or most others came twice too.

        flow, index: where `flows` and `cells` have it.
        """
        others: cython.longlong = self.flows[flow] - 1
        twice: cython.longlong = self.flows[flow + 1] - self.cells[index + 6]
        if self.cells[index + 6] == 0:
            self.cells[index + 6] = 1
            self.flows[flow + 1] += 1
        return flags & _SYN != 0 or (twice > 0 and 2 * twice >= others)


def ends_of(packet: Packet) -> cython.longlong:
    """Return a number for the two addresses: scanners send one packet to many hosts, all with the same identification."""
    at: cython.Py_ssize_t = packet.ip + (12 if packet.ip_version == 4 else 8)
    end: cython.Py_ssize_t = at + (8 if packet.ip_version == 4 else 32)
    number: cython.longlong = 0
    while at < end:
        number = (number * 31 + packet.data[at]) & _WORD
        at += 1
    return number & 0x7FFFFFFF


def place_of(packet: Packet, interface: cython.int) -> cython.longlong:
    """Return a number for the place of the capture: of interface, VLAN and link header. Other places have other numbers."""
    place: cython.longlong = interface << 13 | (packet.vlan + 1)
    at: cython.Py_ssize_t = packet.link
    end: cython.Py_ssize_t = packet.ip
    if at < 0 or end <= at:
        return place & _WORD
    if end - at > _PLACE_BYTES:
        end = at + _PLACE_BYTES
    while at < end:
        place = (place * 31 + packet.data[at]) & _WORD
        at += 1
    return place & _WORD
