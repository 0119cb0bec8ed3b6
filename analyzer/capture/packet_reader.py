"""Reads a capture file frame by frame: pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng).

A pcap file is a header and then records. A record has a time, two lengths and the bytes. A magic number gives byte order and
resolution. A pcapng file is a chain of blocks, each with its length at both ends. A Section Header Block sets the byte order of
the blocks after it. Interface Description Blocks number the interfaces of their section, and packets name them by that number.
The packet reader opens no file: it gets the decompressed bytes in chunks of any size, and moves one shared `Frame` over them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.capture.blocks import MICROSECOND_CLOCK, NANOSECONDS, ByteOrder, Interface
from analyzer.capture.channel import Channel, LinkType
from analyzer.capture.file_facts import Facts
from analyzer.capture.file_numbers import read_u16, read_u32
from analyzer.capture.frame import Frame
from analyzer.capture.frame_reader import FrameReader
from analyzer.capture.other_formats import advice, begins_capture
from analyzer.capture.pcap_header import FORMATS, read_pcap_header
from analyzer.capture.pcap_header import SIZE as PCAP_HEADER
from analyzer.codec.errors import Anomaly, Incomplete, Malformed, ParseError

if TYPE_CHECKING:
    import cython

# The largest frame that Wireshark accepts for any link type (D-Bus, USB). A larger length is damage; to wait for so many bytes
# would need that much memory.
MAX_FRAME = 128 << 20
MAX_BLOCK = MAX_FRAME + (1 << 20)  # and several options of the maximum length
# An interface is 20 bytes in the file and about 500 in memory. Real captures have dozens.
MAX_INTERFACES = 65_536
# Each needs a little of the stack.
MAX_JOINED = 50

# Declared in the .pxd: in the compiled build these are C variables. They are fast to compare with, but cannot be imported.
_LARGEST_FRAME = MAX_FRAME
_LARGEST_BLOCK = MAX_BLOCK
_SECOND = NANOSECONDS
# Bytes of a chunk that are joined with the rest of the chunk before: more than most records have.
_BRIDGE = 4096

_UNKNOWN, _PCAP, _PCAPNG = 0, 1, 2
_SECTION = 0x0A0D0D0A
_INTERFACE, _OBSOLETE_PACKET, _SIMPLE_PACKET, _NAMES, _STATISTICS, _ENHANCED_PACKET = 1, 2, 3, 4, 5, 6
_JOURNAL, _SECRETS = 9, 10
_PROCESS, _CUSTOM, _CUSTOM_NOT_COPIED = 0x80000001, 0xBAD, 0x40000BAD


class PacketReader(FrameReader):
    """Fills `frame` again for each frame of one file. `frame.number` continues from the last frame of the file before.

    format: `pcap`, `nanosecond pcap`, `modified pcap` or `pcapng`; None until the bytes are recognized as a capture.
    frames, truncated_frames: how many so far, and how many of them the snapshot length truncated.
    earliest, latest: times of this file's frames in nanoseconds since the epoch; -1 as long as no frame had a time.
    sections, interfaces, comments, secrets, names, statistics, processes, anomalies: as in `Facts`; they grow with the file.
    n_interfaces: how many interfaces there were, kept or not. links: the link types of the interfaces, by number.
    recording: `advance` keeps damage in `error` and returns False, instead of raising it.
    """

    __slots__ = (
        "_base", "_bridged", "_channel", "_channels", "_data", "_facts", "_first_interface", "_header", "_kind", "_little",
        "_n_joined", "_needed", "_pending", "_position", "_rest", "_size", "_swapped", "anomalies", "comments", "earliest",
        "error", "format", "frames", "latest", "links", "n_interfaces", "names", "recording", "sections", "statistics",
        "truncated_frames",
    )  # fmt: skip

    def __init__(self, frame: Frame, first_interface: int = 0, recording: bool = False) -> None:
        """first_interface: the number of this file's first interface. It is the number of interfaces in the files before."""
        super().__init__(frame)
        self.format: str | None = None
        self.recording = recording
        self.error: ParseError | None = None
        self.frames = self.truncated_frames = 0
        self.earliest = self.latest = -1
        facts = Facts()
        self._facts = facts
        self.sections, self.interfaces, self.comments = facts.sections, facts.interfaces, facts.comments
        self.secrets, self.names, frame.interfaces = facts.secrets, facts.names, []
        self.statistics, self.processes, self.anomalies = facts.statistics, facts.processes, facts.anomalies
        self.n_interfaces = 0
        self._first_interface = first_interface
        self._data = b""
        self._position = self._size = self._needed = self._base = 0
        self._pending, self._rest = bytearray(), b""
        self._bridged = 0
        self._kind = _UNKNOWN
        self._little = True
        self._header = 16
        self._swapped = self._n_joined = 0
        self._channels: list[Channel] = []
        self.links: dict[int, LinkType] = {}
        self._channel = Channel(Interface(0, 0, 0, 0, ""), MICROSECOND_CLOCK, {})

    def feed(self, data: bytes) -> None:
        """Append the next bytes of the decompressed file. The bytes of the current `frame` stay valid."""
        if self._rest:
            self._need(0)
        left: cython.Py_ssize_t = self._size - self._position
        # A record longer than a chunk is joined once, when it is complete. To join at every chunk would take quadratic time.
        if self._pending or len(data) < self._needed - left:
            self._pending += data
            if len(self._pending) < self._needed - left:
                return
            data = bytes(self._pending)
            self._pending = bytearray()
        if left > _BRIDGE:
            self._take(self._data[self._position : self._size] + data)
        elif left:
            # Only the record that crosses the edge of the chunk is joined. So the chunk itself is not copied.
            self._bridged = left
            self._rest = data
            self._take(self._data[self._position : self._size] + data[: max(_BRIDGE, self._needed - left)])
        else:
            self._take(data)

    def advance(self) -> bool:
        """Move `frame` to the next frame. Return False if more bytes are needed. Raise Malformed if the file is damaged."""
        if not self.recording:
            return self._next()
        if self.error is not None:
            return False
        if self._read_plain_record() if self._kind == _PCAP else self._kind == _PCAPNG and self._read_plain_block():
            return True
        try:
            return self._next()
        except ParseError as error:
            self.error = error
            return False

    def close(self) -> None:
        """End the file. Raise Incomplete if it ends within a header, record or block; raise Malformed if it is empty.

        Call it after `advance` has returned False. Do not call other methods after it.
        """
        left: cython.Py_ssize_t = self._size - self._position + len(self._pending)
        if self._kind == _UNKNOWN and self.format is None:
            if left == 0:
                raise Malformed("file", 0, "it is empty")
            raise Incomplete("file header", 0, f"{left} bytes are too few to tell what it is")
        if left:
            what = "file header" if self._kind == _UNKNOWN else "record" if self._kind == _PCAP else "block"
            raise Incomplete(what, self._base + self._position, f"the file ends {left} bytes into it")

    def _take(self, data: bytes) -> None:
        """Continue in `data`, which begins at the current position."""
        self._base += self._position
        self._data = data
        self._position = 0
        self._size = len(data)
        self._needed = 0

    def _need(self, size: cython.Py_ssize_t) -> cython.bint:
        """Put `size` bytes from the current position into one buffer. Return False if more bytes must be fed for that."""
        rest = self._rest
        if not rest:
            self._needed = size
            return False
        self._rest = b""
        if self._position >= self._bridged:
            place: cython.Py_ssize_t = self._position - self._bridged
            self._take(rest)
            self._base -= place
            self._position = place
        else:
            self._take(self._data[self._position : self._bridged] + rest)
        return True

    def _read_plain_record(self) -> cython.bint:
        """Read the next record of pcap, if it is whole and there is nothing special about it. Otherwise change nothing."""
        position: cython.Py_ssize_t = self._position
        body: cython.Py_ssize_t = position + self._header
        if body > self._size or self._swapped:
            return False
        view: cython.p_const_uchar = self._data  # type: ignore[assignment]  # C sees the bytes
        little: cython.bint = self._little
        captured = _u32(view, position + 8, little)
        if captured == 0 or captured > _LARGEST_FRAME or captured > self._size - body:
            return False
        at = _u32(view, position, little) * _SECOND + _u32(view, position + 4, little) * self._channel.multiplier
        self._set_frame(self._channel, at, body, captured, _u32(view, position + 12, little), position)
        self._position = body + captured
        return True

    def _read_plain_block(self) -> cython.bint:
        """Do the same with an Enhanced Packet Block of pcapng without options."""
        position: cython.Py_ssize_t = self._position
        left: cython.Py_ssize_t = self._size - position
        if left < 32:
            return False
        view: cython.p_const_uchar = self._data  # type: ignore[assignment]  # C sees the bytes
        little: cython.bint = self._little
        length = _u32(view, position + 4, little)
        captured = _u32(view, position + 20, little)
        if _u32(view, position, little) != _ENHANCED_PACKET or length > left or (captured + 3 & ~3) + 32 != length:
            return False
        index = _u32(view, position + 8, little)
        if length > _LARGEST_BLOCK or _u32(view, position + length - 4, little) != length or index >= len(self._channels):
            return False
        channel: Channel = self._channels[index]
        at = _u32(view, position + 12, little)
        if at >= 0x80000000 or channel.multiplier == 0:
            return False
        at = at << 32 | _u32(view, position + 16, little)
        if at > channel.most_ticks:
            return False
        at *= channel.multiplier
        self._set_frame(channel, at, position + 28, captured, _u32(view, position + 24, little), position)
        self._position = position + length
        return True

    def _next(self) -> bool:
        if self._kind == _PCAPNG:
            return self._next_block()
        if self._kind == _PCAP:
            return self._next_record()
        return self._begin() and self._next()

    def _begin(self) -> bool:
        """Detect the format by its magic number: in pcap it has the byte order of the file, in pcapng it is a palindrome."""
        if self._size < 4:
            return self._need(4) and self._begin()
        if read_u32(self._data, 0, True) == _SECTION:
            if self._size < 12:
                return self._need(12) and self._begin()
            self._set_byte_order(0)
            self.frame.interfaces = self.interfaces
            self.format = self.format or "pcapng"
            self._kind = _PCAPNG
            return True
        if self._data[:4] not in FORMATS:
            raise Malformed("file header", 0, advice(self._data) or f"{self._data[:4].hex()} begins no capture file")
        name, order = FORMATS[self._data[:4]]
        self.format = self.format or name
        if self._size < PCAP_HEADER:
            return self._need(PCAP_HEADER) and self._begin()
        header = read_pcap_header(self._data[:PCAP_HEADER], self._first_interface + self.n_interfaces)
        self.sections.append(header.section)
        self.interfaces.append(header.interface)
        self.n_interfaces += 1
        self._little = order == "little"
        self._channel = Channel(header.interface, header.clock, self.links)
        self._swapped, self._header = header.swapped, header.n_record
        self._position = PCAP_HEADER
        self._kind = _PCAP
        return True

    def _begin_again(self) -> bool:
        """Begin a second file, which somebody has appended to the first one, at the current position."""
        offset = self._base + self._position
        if self._n_joined >= MAX_JOINED:
            raise Malformed("file header", offset, f"more than {MAX_JOINED} files were joined")
        self._facts.note_anomaly(Anomaly("file header", offset, "a second capture begins here: two files were joined"))
        self._n_joined += 1
        self._kind = _UNKNOWN
        self._bridged -= self._position
        self._take(self._data[self._position : self._size])
        return self._next()

    def _next_record(self) -> bool:
        data = self._data
        position: cython.Py_ssize_t = self._position
        left: cython.Py_ssize_t = self._size - position
        if left < self._header:
            return self._need(self._header) and self._next()
        little: cython.bint = self._little
        captured, wire = read_u32(data, position + 8, little), read_u32(data, position + 12, little)
        if self._swapped and (self._swapped == 2 or captured > wire):
            captured, wire = wire, captured
        if (captured == 0 or captured > _LARGEST_FRAME) and begins_capture(data, position):
            return self._begin_again()
        if captured > _LARGEST_FRAME:
            raise Malformed("record.captured_length", self._base + position + 8, f"{captured} bytes are more than a frame has")
        if captured > left - self._header:
            return self._need(self._header + captured) and self._next()
        body = position + self._header
        at = read_u32(data, position, little) * _SECOND + read_u32(data, position + 4, little) * self._channel.multiplier
        self._set_frame(self._channel, at, body, captured, wire, position)
        self._position = body + captured
        return True

    def _next_block(self) -> bool:
        data = self._data
        while True:
            position: cython.Py_ssize_t = self._position
            left: cython.Py_ssize_t = self._size - position
            if left < 12:
                return self._need(12) and self._next()
            kind = read_u32(data, position, self._little)
            if kind == _SECTION:
                self._set_byte_order(position)
            length = read_u32(data, position + 4, self._little)
            if length < 12 or length & 3:
                if kind != _SECTION and begins_capture(data, position):
                    return self._begin_again()
                raise Malformed("block.length", self._base + position + 4, f"{length} is no length of a block")
            if length > _LARGEST_BLOCK:
                raise Malformed("block.length", self._base + position + 4, f"{length} bytes are more than a block has")
            if length > left:
                return self._need(length) and self._next()
            end = position + length - 4
            if read_u32(data, end, self._little) != length:
                raise Malformed("block.length", self._base + end, f"it is not the {length} of the block's head")
            if kind in (_ENHANCED_PACKET, _OBSOLETE_PACKET, _SIMPLE_PACKET):
                if kind == _SIMPLE_PACKET:
                    self._read_simple_packet(position, length)
                else:
                    self._read_packet(position, length, kind == _OBSOLETE_PACKET)
                self._position = position + length
                return True
            if kind in (_CUSTOM, _CUSTOM_NOT_COPIED, _JOURNAL):
                # They are not packets, but Wireshark lists them as packets. Frame numbers must be the same as in Wireshark.
                self.frame.number += 1
            self._read_other_block(kind, position, length)
            self._position = position + length

    def _set_byte_order(self, position: cython.Py_ssize_t) -> bool:
        """Set the byte order of the section that begins at `position`."""
        magic = read_u32(self._data, position + 8, True)
        if magic not in (0x1A2B3C4D, 0x4D3C2B1A):
            raise Malformed("Section Header Block.magic", self._base + position, f"0x{magic:08x} is no byte-order magic")
        self._little = magic == 0x1A2B3C4D
        return self._little

    def _read_packet(self, position: cython.Py_ssize_t, length: cython.Py_ssize_t, obsolete: cython.bint) -> None:
        """Read an Enhanced Packet Block or an obsolete Packet Block, with a shorter interface field and a drop count."""
        data = self._data
        little: cython.bint = self._little
        if length < 32:
            raise Malformed("packet block", self._base + position, f"{length} bytes are too few for its fixed fields")
        index = read_u16(data, position + 8, little) if obsolete else read_u32(data, position + 8, little)
        high = read_u32(data, position + 12, little)
        low = read_u32(data, position + 16, little)
        captured = read_u32(data, position + 20, little)
        wire = read_u32(data, position + 24, little)
        if captured > length - 32:
            raise Malformed(
                "packet block.captured_length", self._base + position + 20, f"{captured} bytes, {length - 32} in the block"
            )
        if index >= len(self._channels):
            raise Malformed("packet block.interface", self._base + position + 8, f"interface {index} was not described")
        channel: Channel = self._channels[index]
        at: cython.longlong = -1
        if high < 0x80000000 and (high << 32 | low) <= channel.most_ticks:
            at = (high << 32 | low) * channel.multiplier
        if channel.multiplier == 0:
            at = channel.clock.at(int(high) << 32 | int(low))
        body = position + 28
        self._set_frame(channel, at, body, captured, wire, position)
        body += captured + 3 & ~3
        if position + length - 4 - body >= 4:
            self._read_frame_options(body, position + length - 4)

    def _read_simple_packet(self, position: cython.Py_ssize_t, length: cython.Py_ssize_t) -> None:
        """Read a Simple Packet Block. It has no time, belongs to the first interface, and its captured length is computed."""
        if length < 16:
            raise Malformed("Simple Packet Block", self._base + position, f"{length} bytes are too few for its fixed fields")
        if not self._channels:
            raise Malformed("Simple Packet Block", self._base + position, "no interface was described")
        channel: Channel = self._channels[0]
        wire = read_u32(self._data, position + 8, self._little)
        captured = channel.snap_length if 0 < channel.snap_length < wire else wire
        if captured > length - 16:
            raise Malformed(
                "Simple Packet Block.length", self._base + position + 8, f"{captured} bytes, {length - 16} in the block"
            )
        self._set_frame(channel, -1, position + 12, captured, wire, position)

    def _set_frame(
        self,
        channel: Channel,
        at: cython.longlong,
        start: cython.Py_ssize_t,
        captured: cython.Py_ssize_t,
        wire: cython.longlong,
        position: cython.Py_ssize_t,
    ) -> None:
        frame = self.frame
        frame.number += 1
        frame.at = at
        frame.data = self._data
        frame.start = start
        frame.end = start + captured
        frame.wire_length = wire
        frame.link_type = channel.link.number
        if channel.link.another_at < 0:
            channel.link.frames += 1
        else:
            channel.link.count(frame)
        frame.interface = channel.number
        frame.offset = self._base + position
        self.frames += 1
        if wire > captured:
            self.truncated_frames += 1
        if at > self.latest:
            self.latest = at
        if at >= 0 and (at < self.earliest or self.earliest < 0):
            self.earliest = at

    def _read_frame_options(self, at: cython.Py_ssize_t, end: cython.Py_ssize_t) -> None:
        """Keep the comments of the frame, and its process. The other options of packets are not used."""
        while end - at >= 4:
            code = read_u16(self._data, at, self._little)
            length = read_u16(self._data, at + 2, self._little)
            if code == 0:
                return
            at += 4
            if length > end - at:
                found = f"{length} bytes declared, {end - at} left"
                self._facts.note_anomaly(Anomaly("packet block.option", self._base + at - 2, found))
                return
            if code == 1:
                self._facts.note_comment(self.frame.number, self._data[at : at + length], self.frame.offset)
            elif code == 8 or code == 0x8001:
                self.processes.read_option(self.frame, code, self._data[at : at + length], self._little)
            at += length + 3 & ~3

    def _read_other_block(self, kind: cython.longlong, position: cython.Py_ssize_t, length: cython.Py_ssize_t) -> None:
        """Read a block that is not a packet. Skip unknown blocks and blocks of private enterprises."""
        if kind not in (_SECTION, _INTERFACE, _NAMES, _STATISTICS, _SECRETS, _PROCESS, _CUSTOM, _CUSTOM_NOT_COPIED):
            return
        body = self._data[position + 8 : position + length - 4]
        order: ByteOrder = "little" if self._little else "big"
        offset = self._base + position
        if kind == _SECTION:
            self._facts.read_section(body, order, offset)
            self._channels = []
        elif kind == _INTERFACE:
            if len(self._channels) >= MAX_INTERFACES:
                raise Malformed("Interface Description Block", offset, f"more than {MAX_INTERFACES} interfaces in a section")
            interface, clock = self._facts.read_interface(body, order, offset, self._first_interface + self.n_interfaces)
            self.n_interfaces += 1
            self._channels.append(Channel(interface, clock, self.links))
        elif kind == _STATISTICS:
            self._facts.read_statistics(body, order, offset, self._channels)
        else:
            self._facts.read_other(kind, body, order, offset)


def _u32(view: cython.p_const_uchar, at: cython.Py_ssize_t, little: cython.bint) -> cython.longlong:
    """Read four bytes without a check, as `read_u32`: the caller knows that they are there."""
    # The most significant byte is widened first: in a C int, its top bit would become the sign.
    if little:
        high: cython.longlong = view[at + 3]
        return high << 24 | view[at + 2] << 16 | view[at + 1] << 8 | view[at]
    high = view[at]
    return high << 24 | view[at + 1] << 16 | view[at + 2] << 8 | view[at + 3]


COMPILED: bool = not __file__.endswith(".py")
