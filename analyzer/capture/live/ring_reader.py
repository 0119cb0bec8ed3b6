"""Reads frames from the blocks of a TPACKET_V3 ring (packet(7), Documentation/networking/packet_mmap.rst of Linux).

The kernel writes packets one after another into a block, and hands over the block when it is full, or when its time is over. A
block begins with `struct tpacket_block_desc`: how many packets, and where the first is. A packet is `struct tpacket3_hdr` (how
far to the next packet, time, lengths, status, VLAN tag), then `struct sockaddr_ll` (the interface, and whether the packet came
or went), then the bytes. All numbers have the byte order of the machine.

The reader gets a copy of each block, so the kernel has the block back at once, and frames are parts of `bytes` as they are in
files. The copy is one memcpy for about a thousand packets.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from analyzer.capture.blocks import LATEST
from analyzer.capture.file_numbers import read_u32
from analyzer.capture.frame import Frame
from analyzer.capture.frame_reader import FrameReader

if TYPE_CHECKING:
    import cython

_LITTLE = sys.byteorder == "little"
# sizeof(struct tpacket_block_desc); struct tpacket3_hdr with struct sockaddr_ll behind it; and where in it the latter begins.
_BLOCK_HEADER = 48
_PACKET_HEADER = 68
_ADDRESS = 48
# A time that does not come: 2262-04-11.
_NEVER = LATEST
_SECOND = 1_000_000_000
# TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID, PACKET_OUTGOING, ARPHRD_LOOPBACK, and the EtherType of 802.1Q.
_VLAN_VALID = 0x10
_VLAN_TPID_VALID = 0x40
_OUTGOING = 4
_LOOPBACK = 772
_DOT1Q = 0x8100
# Made headers that are kept, to be used again: one for each sender on each interface. A crowd of them is made anew.
_MOST_HEADERS = 4096


class RingChannel:
    """The ring of one interface, and the packet in it that comes next.

    number: as in `Frame.interface`. cooked: whether packets come without link-layer header; then a header of type
    LINKTYPE_LINUX_SLL2 is made for each (`any`, and interfaces whose header we do not know). at: time of the next packet, ns
    since the epoch. left: packets that are left in the block, the next one included. data: the block. position: where its next
    packet begins. duplicates: packets that were skipped so far, because they come twice. idle: whether the
    ring had no further block when it was last looked at.
    """

    __slots__ = ("_headers", "at", "cooked", "data", "duplicates", "idle", "left", "link_type", "number", "position")

    def __init__(self, number: int, link_type: int, cooked: bool) -> None:
        self.number = number
        self.link_type = link_type
        self.cooked = cooked
        self.at = 0
        self.left = 0
        self.data = b""
        self.position = 0
        self.duplicates = 0
        self.idle = False
        self._headers: dict[bytes, bytes] = {}

    def load(self, block: bytes) -> None:
        """Take a block. What was left of the block before is lost. A block that is too short or lies has no packets."""
        self.data = block
        self.left = 0
        if len(block) >= _BLOCK_HEADER:
            self.left = read_u32(block, 12, _LITTLE)
            self.position = read_u32(block, 16, _LITTLE)
            self.find()

    def next(self) -> None:
        """Go to the next packet of the block."""
        self._step()
        self.find()

    def find(self) -> None:
        """Read the time of the packet at `position`. Skip packets that come a second time.

        What is sent through the loopback interface is received there too, and a socket sees both.
        """
        while self.left > 0:
            position = self.position
            if position < 0 or position > len(self.data) - _PACKET_HEADER:
                self.left = 0
                return
            address = position + _ADDRESS
            if self.data[address + 10] != _OUTGOING or _hardware_type(self.data, address) != _LOOPBACK:
                self.at = read_u32(self.data, position + 4, _LITTLE) * _SECOND + read_u32(self.data, position + 8, _LITTLE)
                return
            self.duplicates += 1
            self._step()

    def cooked_header(self, address: cython.Py_ssize_t, tag: bytes) -> bytes:
        """Return the header of LINKTYPE_LINUX_SLL2 for the `struct sockaddr_ll` at `address`, and the VLAN tag after it."""
        key: bytes = self.data[address + 2 : address + 20] + tag
        known = self._headers.get(key)
        if known is not None:
            return known
        if len(self._headers) >= _MOST_HEADERS:
            self._headers.clear()
        protocol, index, hardware = key[:2], key[2:6], key[6:8]
        if _LITTLE:
            index, hardware = index[::-1], hardware[::-1]
        after = tag[2:] + protocol if tag else b""
        header: bytes = (tag[:2] or protocol) + b"\0\0" + index + hardware + key[8:18] + after
        self._headers[key] = header
        return header

    def _step(self) -> None:
        step = read_u32(self.data, self.position, _LITTLE)
        self.position += step
        self.left = self.left - 1 if step else 0  # the kernel writes 0 in the last packet


class RingReader(FrameReader):
    """Reads the frames of several rings, in the order of their times.

    A ring hands over its packets with a delay, and each ring with another one. So a frame is given only when no ring can have
    an earlier one: each has its next frame here, or is `idle` and the frame is not later than `horizon`.

    channels: one for each interface. horizon: time up to which rings that are idle have handed over everything, ns since the
    epoch. frames: how many so far. The offset of a frame is -1: there is no file.
    """

    __slots__ = ("channels", "frames", "horizon")

    def __init__(self, frame: Frame, channels: list[RingChannel]) -> None:
        super().__init__(frame)
        self.channels = channels
        self.frames = 0
        self.horizon = _NEVER
        frame.offset = -1

    def advance(self) -> bool:
        """Move `frame` to the next frame. Return False if there is none now."""
        channel = self._choose()
        if channel is None:
            return False
        self._set_frame(channel)
        channel.next()
        return True

    def ready(self) -> bool:
        """Return whether `advance` will find a frame."""
        return self._choose() is not None

    def _choose(self) -> RingChannel | None:
        best: RingChannel | None = None
        horizon: cython.longlong = _NEVER
        for channel in self.channels:
            if channel.left > 0:
                if best is None or channel.at < best.at:
                    best = channel
            elif channel.idle:
                horizon = self.horizon
            else:  # what comes next in it is not known yet
                return None
        return best if best is None or best.at <= horizon else None

    def _set_frame(self, channel: RingChannel) -> None:
        data: bytes = channel.data
        position: cython.Py_ssize_t = channel.position
        captured: cython.longlong = read_u32(data, position + 12, _LITTLE)
        wire: cython.longlong = read_u32(data, position + 16, _LITTLE)
        start: cython.Py_ssize_t = position + _read_u16(data, position + 24)
        if captured > len(data) - start:  # the kernel never says so; but nothing is read outside the block
            captured = max(0, len(data) - start)
        frame: Frame = self.frame
        frame.number += 1
        frame.at = channel.at
        frame.link_type = channel.link_type
        frame.interface = channel.number
        self.frames += 1
        frame.data = data
        frame.start = start
        frame.end = start + captured
        frame.wire_length = wire
        tag = _vlan_tag(data, position) if read_u32(data, position + 20, _LITTLE) & _VLAN_VALID else b""
        if channel.cooked:
            self._put(channel.cooked_header(position + _ADDRESS, tag) + data[start : start + captured])
        elif tag and channel.link_type == 1 and captured >= 12:
            self._put(data[start : start + 12] + tag + data[start + 12 : start + captured])

    def _put(self, data: bytes) -> None:
        """Replace the bytes of the frame by `data`, which has more."""
        frame: Frame = self.frame
        frame.wire_length += len(data) - (frame.end - frame.start)
        frame.data = data
        frame.start = 0
        frame.end = len(data)


def _read_u16(data: bytes, at: cython.Py_ssize_t) -> cython.longlong:
    return data[at] | data[at + 1] << 8 if _LITTLE else data[at] << 8 | data[at + 1]


def _hardware_type(data: bytes, address: cython.Py_ssize_t) -> cython.longlong:
    return _read_u16(data, address + 8)


def _vlan_tag(data: bytes, position: cython.Py_ssize_t) -> bytes:
    """Return the four bytes of the outer VLAN tag, which the kernel takes out of the frame."""
    known = read_u32(data, position + 20, _LITTLE) & _VLAN_TPID_VALID
    tpid: cython.longlong = _read_u16(data, position + 36) if known else _DOT1Q
    tci: cython.longlong = _read_u16(data, position + 32 if _LITTLE else position + 34)
    return bytes((tpid >> 8, tpid & 0xFF, tci >> 8, tci & 0xFF))


COMPILED: bool = not __file__.endswith(".py")
