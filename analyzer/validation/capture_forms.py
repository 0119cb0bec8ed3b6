"""Reads the times of packets, and writes the packets of a capture in other formats, byte orders and units of time.

pcap (draft-ietf-opsawg-pcap) says byte order and unit with its magic number: 0xa1b2c3d4 for microseconds, 0xa1b23c4d for
nanoseconds. pcapng (draft-ietf-opsawg-pcapng) says the order in each section, and the unit in the option if_tsresol of each
interface. The same packets have to give the same records in every form, so the material has not to hold each form itself. As in
`capture_bytes`, nothing here asks the reader that is tried.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.validation.capture_bytes import PacketPlace, packets_in

_NANOSECONDS, _MICROSECONDS = 1, 1000
_MAGIC = {_MICROSECONDS: 0xA1B2C3D4, _NANOSECONDS: 0xA1B23C4D}
_SECTION, _INTERFACE, _ENHANCED = 0x0A0D0D0A, 1, 6
_RESOLUTION = 9
_SNAPLEN = 262144
_SECOND = 10**9


@dataclass(frozen=True, slots=True)
class CaptureForm:
    """A form of a capture file. order: as in `struct`, `<` or `>`. unit: of its times, in nanoseconds."""

    name: str
    is_pcapng: bool
    order: str
    unit: int


FORMS = tuple(
    CaptureForm(f"{kind}_{order}_{unit}", kind == "pcapng", sign, size)
    for kind in ("pcap", "pcapng")
    for order, sign in (("little", "<"), ("big", ">"))
    for unit, size in (("micro", _MICROSECONDS), ("nano", _NANOSECONDS))
)
"""All forms that are tried."""


def packet_times(content: bytes) -> list[int]:
    """Return the time of each packet, in nanoseconds since 1970. Raises ValueError for a file that is no pcap or pcapng."""
    return [_time(content, place) for place in _places(content)]


def with_times_of(content: bytes, unit: int) -> bytes:
    """Return the same file, each time cut down to a multiple of so many nanoseconds. Raises ValueError as `packet_times`."""
    changed = bytearray(content)
    for place in _places(content):
        time = _time(content, place) // unit * unit
        if place.is_pcapng:
            units = time // place.unit
            struct.pack_into(place.order + "II", changed, place.packet.start + 12, units >> 32, units & 0xFFFFFFFF)
        else:
            seconds, rest = divmod(time, _SECOND)
            struct.pack_into(place.order + "II", changed, place.packet.start, seconds, rest // place.unit)
    return bytes(changed)


def in_form(content: bytes, form: CaptureForm) -> bytes:
    """Return a capture file with the packets of another one, their times cut down to the form's unit.

    Raises ValueError if the file is no pcap or pcapng, or has interfaces of several link types.
    """
    places = _places(content)
    link_types = {place.link_type for place in places}
    if len(link_types) != 1:
        raise ValueError("link_types", sorted(link_types))
    packets = [(_time(content, place), content[place.packet.data : place.packet.data + place.packet.size]) for place in places]
    return (_pcapng if form.is_pcapng else _pcap)(packets, link_types.pop(), form)


@dataclass(frozen=True, slots=True)
class _Place:
    """A packet with what the file says before it. unit: of its time, in nanoseconds."""

    packet: PacketPlace
    order: str
    unit: int
    link_type: int
    is_pcapng: bool


def _places(content: bytes) -> list[_Place]:
    packets = packets_in(content)
    if content[:4] == _SECTION.to_bytes(4, "big"):
        return _places_of_pcapng(content, packets)
    order = ">" if content[0] == 0xA1 else "<"
    magic, link_type = struct.unpack(order + "I", content[:4])[0], struct.unpack(order + "I", content[20:24])[0]
    unit = next(size for size, known in _MAGIC.items() if known == magic)
    return [_Place(packet, order, unit, link_type & 0xFFFF, False) for packet in packets]


def _places_of_pcapng(content: bytes, packets: Sequence[PacketPlace]) -> list[_Place]:
    order = "<" if content[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    interfaces: list[tuple[int, int]] = []
    by_start = {packet.start: packet for packet in packets}
    found, at = [], 0
    while at + 12 <= len(content):
        kind, length = struct.unpack_from(order + "II", content, at)
        if kind == _INTERFACE:
            (link_type,) = struct.unpack_from(order + "H", content, at + 8)
            interfaces.append((_unit(content[at + 16 : at + length - 4], order), link_type))
        elif at in by_start:
            (number,) = struct.unpack_from(order + "I", content, at + 8)
            unit, link_type = interfaces[number]
            found.append(_Place(by_start[at], order, unit, link_type, True))
        at += max(12, length)
    return found


def _unit(options: bytes, order: str) -> int:
    """Return the unit of an interface's times in nanoseconds: microseconds, unless if_tsresol says a negative power of ten."""
    at = 0
    while at + 4 <= len(options):
        code, length = struct.unpack_from(order + "HH", options, at)
        if code == _RESOLUTION:
            if options[at + 4] > 9:
                raise ValueError("if_tsresol", options[at + 4])
            return int(10 ** (9 - options[at + 4]))
        at += 4 + length + -length % 4
    return _MICROSECONDS


def _time(content: bytes, place: _Place) -> int:
    if place.is_pcapng:
        high, low = struct.unpack_from(place.order + "II", content, place.packet.start + 12)
        return int((high << 32 | low) * place.unit)
    seconds, rest = struct.unpack_from(place.order + "II", content, place.packet.start)
    return int(seconds * _SECOND + rest * place.unit)


def _pcap(packets: Sequence[tuple[int, bytes]], link_type: int, form: CaptureForm) -> bytes:
    written = [struct.pack(form.order + "IHHiIII", _MAGIC[form.unit], 2, 4, 0, 0, _SNAPLEN, link_type)]
    for time, packet in packets:
        seconds, rest = divmod(time, _SECOND)
        written.append(struct.pack(form.order + "IIII", seconds, rest // form.unit, len(packet), len(packet)) + packet)
    return b"".join(written)


def _pcapng(packets: Sequence[tuple[int, bytes]], link_type: int, form: CaptureForm) -> bytes:
    order = form.order
    resolution = 9 if form.unit == _NANOSECONDS else 6
    options = struct.pack(order + "HHB3xHH", _RESOLUTION, 1, resolution, 0, 0)
    written = [
        _block(order, _SECTION, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)),
        _block(order, _INTERFACE, struct.pack(order + "HHI", link_type, 0, _SNAPLEN) + options),
    ]
    for time, packet in packets:
        units = time // form.unit
        head = struct.pack(order + "IIIII", 0, units >> 32, units & 0xFFFFFFFF, len(packet), len(packet))
        written.append(_block(order, _ENHANCED, head + packet + bytes(-len(packet) % 4)))
    return b"".join(written)


def _block(order: str, kind: int, body: bytes) -> bytes:
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length
