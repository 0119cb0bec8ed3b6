"""Reads what a capture file says about itself: sections, interfaces, names, statistics and secrets.

These are the blocks of draft-ietf-opsawg-pcapng that are not packets. Each block has a fixed part and then options. An option
is a 16-bit code, a 16-bit length, and a value padded to 32 bits. The options end at code 0 or at the end of the block. The next
block can be found without them. So an option with a wrong length affects only the options after it: the functions here return
the options before it, together with an `Anomaly`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Literal

from analyzer.codec.errors import Anomaly

ByteOrder = Literal["little", "big"]
Option = tuple[int, bytes]

TLS_KEY_LOG = 0x544C534B

OPT_COMMENT = 1
SHB_HARDWARE, SHB_OS, SHB_USERAPPL = 2, 3, 4
IF_NAME, IF_DESCRIPTION, IF_TSRESOL, IF_FILTER, IF_OS, IF_FCSLEN, IF_TSOFFSET, IF_HARDWARE = 2, 3, 9, 11, 12, 13, 14, 15
ISB_STARTTIME, ISB_ENDTIME, ISB_IFRECV, ISB_IFDROP, ISB_FILTERACCEPT, ISB_OSDROP, ISB_USRDELIV = 2, 3, 4, 5, 6, 7, 8
NRES_END, NRES_IP4, NRES_IP6 = 0, 1, 2

NANOSECONDS = 1_000_000_000
LATEST = 2**63 - 1

# Options (and name records) read from one block. Normal blocks have a few. In memory, each takes many times its 4 bytes.
MAX_OPTIONS = 65_536


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a pcapng file; a pcap file is one section. offset: of its header in the decompressed file, in bytes."""

    offset: int
    byte_order: ByteOrder
    version: tuple[int, int]
    hardware: str | None = None
    os: str | None = None
    application: str | None = None


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface on which frames were captured.

    number: as in `Frame.interface`, counted over all captures of a run; section: index of its section in this file.
    link_type: LINKTYPE_ number; snap_length: bytes kept of each frame, 0 for all.
    resolution: length of one tick of its clock, such as `10^-6 s`; time_offset: seconds to add to every time.
    fcs_length: bytes of checksum at the end of each frame, None if the file does not say.
    """

    number: int
    section: int
    link_type: int
    snap_length: int
    resolution: str
    time_offset: int = 0
    name: str | None = None
    description: str | None = None
    filter: str | None = None
    os: str | None = None
    hardware: str | None = None
    fcs_length: int | None = None


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counters of one interface at time `at` (Interface Statistics Block). None: the capturing program did not write it."""

    interface: int
    at: int
    start_time: int | None = None
    end_time: int | None = None
    received: int | None = None
    dropped_by_interface: int | None = None
    accepted_by_filter: int | None = None
    dropped_by_system: int | None = None
    delivered: int | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """Converts an interface's ticks to nanoseconds: `ticks * 10**9 // unit + offset * 10**9`.

    unit: ticks per second. offset: in seconds. text: the length of a tick, such as `10^-6 s`.
    """

    unit: int
    offset: int
    text: str

    def at(self, ticks: int) -> int:
        """Return nanoseconds since 1970-01-01 UTC, or -1 if the result is negative or needs more than 63 bits."""
        at = ticks * NANOSECONDS // self.unit + self.offset * NANOSECONDS
        return at if 0 <= at <= LATEST else -1


MICROSECOND_CLOCK = Clock(10**6, 0, "10^-6 s")
NANOSECOND_CLOCK = Clock(10**9, 0, "10^-9 s")


def read_options(body: bytes, start: int, order: ByteOrder, offset: int, block: str) -> tuple[list[Option], Anomaly | None]:
    """Return the options of `body[start:]` up to the end mark, and an anomaly if an option does not fit.

    offset: of `body` in the file; block: the block's name, for the text of the anomaly.
    """
    options: list[Option] = []
    at, end = start, len(body)
    while end - at >= 4:
        code = int.from_bytes(body[at : at + 2], order)
        length = int.from_bytes(body[at + 2 : at + 4], order)
        if code == 0:
            break
        if length > end - at - 4:
            return options, Anomaly(
                f"{block}.option {code}", offset + at, f"{length} bytes declared, {end - at - 4} left in the block"
            )
        if len(options) >= MAX_OPTIONS:
            return options, Anomaly(f"{block}.option {code}", offset + at, f"left out: more than {MAX_OPTIONS} in one block")
        options.append((code, body[at + 4 : at + 4 + length]))
        at += 4 + (length + 3 & ~3)
    return options, None


def read_section(body: bytes, order: ByteOrder, offset: int) -> tuple[Section, list[bytes], Anomaly | None]:
    """Read the body of a Section Header Block: the section, its comments, and an anomaly or None.

    body: begins with the byte-order magic; at least 16 bytes.
    """
    version = (int.from_bytes(body[4:6], order), int.from_bytes(body[6:8], order))
    options, anomaly = read_options(body, 16, order, offset + 8, "Section Header Block")
    section = Section(
        offset, order, version, _text(options, SHB_HARDWARE), _text(options, SHB_OS), _text(options, SHB_USERAPPL)
    )
    return section, comments_of(options), anomaly


def read_interface(
    body: bytes, order: ByteOrder, offset: int, number: int, section: int
) -> tuple[Interface, Clock, list[bytes], Anomaly | None]:
    """Read the body (at least 8 bytes) of an Interface Description Block: interface, clock, comments, an anomaly or None."""
    options, anomaly = read_options(body, 8, order, offset + 8, "Interface Description Block")
    clock = _clock(options, order)
    fcs_length = _bytes(options, IF_FCSLEN)
    interface = Interface(
        number=number,
        section=section,
        link_type=int.from_bytes(body[0:2], order),
        snap_length=int.from_bytes(body[4:8], order),
        resolution=clock.text,
        time_offset=clock.offset,
        name=_text(options, IF_NAME),
        description=_text(options, IF_DESCRIPTION),
        filter=_filter(options),
        os=_text(options, IF_OS),
        hardware=_text(options, IF_HARDWARE),
        fcs_length=fcs_length[0] if fcs_length else None,
    )
    return interface, clock, comments_of(options), anomaly


def read_statistics(body: bytes, order: ByteOrder, offset: int, number: int, clock: Clock) -> tuple[Statistics, Anomaly | None]:
    """Read the body (at least 12 bytes) of an Interface Statistics Block of interface `number`, and an anomaly or None."""
    options, anomaly = read_options(body, 12, order, offset + 8, "Interface Statistics Block")
    statistics = Statistics(
        number,
        clock.at(_ticks(body[4:12], order)),
        _time(options, ISB_STARTTIME, order, clock),
        _time(options, ISB_ENDTIME, order, clock),
        *(_count(options, code, order) for code in (ISB_IFRECV, ISB_IFDROP, ISB_FILTERACCEPT, ISB_OSDROP, ISB_USRDELIV)),
    )
    return statistics, anomaly


def read_names(body: bytes, order: ByteOrder, offset: int) -> tuple[list[tuple[str, tuple[str, ...]]], Anomaly | None]:
    """Read the IPv4 and IPv6 records of a Name Resolution Block, and an anomaly or None.

    A record is an address as text, and its names in the order of the file.
    """
    records, anomaly = read_options(body, 0, order, offset + 8, "Name Resolution Block")
    names = []
    for kind, value in records:
        if kind == NRES_IP4 and len(value) > 4:
            names.append((str(IPv4Address(value[:4])), _names(value[4:])))
        elif kind == NRES_IP6 and len(value) > 16:
            names.append((str(IPv6Address(value[:16])), _names(value[16:])))
    return names, anomaly


def read_secrets(body: bytes, order: ByteOrder, offset: int) -> tuple[tuple[int, bytes] | None, Anomaly | None]:
    """Read the type and the secrets of a Decryption Secrets Block; None and an anomaly if its length does not fit."""
    if len(body) < 8:
        return None, Anomaly("Decryption Secrets Block", offset, f"{len(body)} bytes are too few for its fixed fields")
    length = int.from_bytes(body[4:8], order)
    if length > len(body) - 8:
        return None, Anomaly(
            "Decryption Secrets Block.length", offset + 12, f"{length} bytes declared, {len(body) - 8} in the block"
        )
    return (int.from_bytes(body[0:4], order), body[8 : 8 + length]), None


def comments_of(options: Sequence[Option]) -> list[bytes]:
    """Return the comments among the options of a block."""
    return [value for code, value in options if code == OPT_COMMENT]


def _decode(value: bytes) -> str:
    return value.rstrip(b"\0").decode("utf-8", "replace")


def _bytes(options: Sequence[Option], wanted: int) -> bytes | None:
    return next((value for code, value in options if code == wanted), None)


def _text(options: Sequence[Option], wanted: int) -> str | None:
    value = _bytes(options, wanted)
    return None if value is None else _decode(value)


def _filter(options: Sequence[Option]) -> str | None:
    value = _bytes(options, IF_FILTER)
    if not value:
        return None
    # The first byte is 0 for a filter as text, and 1 for compiled BPF, which has no text.
    return _decode(value[1:]) if value[0] == 0 else f"BPF program of {len(value[1:]) // 8} instructions"


def _clock(options: Sequence[Option], order: ByteOrder) -> Clock:
    resolution = _bytes(options, IF_TSRESOL)
    exponent = resolution[0] if resolution else 6
    base = 2 if exponent & 0x80 else 10
    seconds = _bytes(options, IF_TSOFFSET)
    offset = int.from_bytes(seconds, order, signed=True) if seconds is not None and len(seconds) == 8 else 0
    # Python's integers are exact even for 10^-127. So for a senseless resolution, only the range of the result needs a check.
    return Clock(base ** (exponent & 0x7F), offset, f"{base}^-{exponent & 0x7F} s")


def _ticks(value: bytes, order: ByteOrder) -> int:
    """Return a pcapng time: two 32-bit words. The high word is first in both byte orders."""
    return int.from_bytes(value[0:4], order) << 32 | int.from_bytes(value[4:8], order)


def _time(options: Sequence[Option], wanted: int, order: ByteOrder, clock: Clock) -> int | None:
    value = _bytes(options, wanted)
    return clock.at(_ticks(value, order)) if value is not None and len(value) == 8 else None


def _count(options: Sequence[Option], wanted: int, order: ByteOrder) -> int | None:
    value = _bytes(options, wanted)
    return int.from_bytes(value, order) if value is not None and len(value) == 8 else None


def _names(value: bytes) -> tuple[str, ...]:
    return tuple(_decode(name) for name in value.split(b"\0") if name)
