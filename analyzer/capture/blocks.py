"""What a capture file says about itself: sections, interfaces, names, statistics and secrets.

The blocks of draft-ietf-opsawg-pcapng that are no packets. Each has a fixed part and then options: a 16-bit code, a 16-bit
length, and a value padded to 32 bits, up to code 0 or the end of the block. None of them is needed to find the next block, so a
lying option costs the options after it and nothing more: readers here return what stood before it together with an `Anomaly`.
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

# Options (and name records) read of one block; honest blocks have a handful, and each costs many times its 4 bytes.
MAX_OPTIONS = 65_536


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a pcapng file; a pcap file is one section. `offset`: of its header in the decompressed file, in bytes."""

    offset: int
    byte_order: ByteOrder
    version: tuple[int, int]
    hardware: str | None = None
    os: str | None = None
    application: str | None = None


@dataclass(frozen=True, slots=True)
class Interface:
    """Where frames were captured.

    number: as in `Frame.interface`, counted over all captures of a run; section: index of its section in this file.
    link_type: LINKTYPE_ number; snap_length: bytes kept of a frame, 0 for all.
    resolution: length of one tick of its clock, such as `10^-6 s`; `time_offset`: seconds to add to every time.
    fcs_length: bytes of checksum at the end of each frame, None where the file does not say.
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
    """Counters of one interface at time `at` (Interface Statistics Block); None is what the capturing program did not tell."""

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
    """How an interface's ticks become nanoseconds: `ticks * 10**9 // unit + offset * 10**9`, `unit` being ticks a second."""

    unit: int
    offset: int
    text: str

    def at(self, ticks: int) -> int:
        """Nanoseconds since 1970-01-01 UTC; -1 where they are negative or need more than 63 bits."""
        at = ticks * NANOSECONDS // self.unit + self.offset * NANOSECONDS
        return at if 0 <= at <= LATEST else -1


MICROSECOND_CLOCK = Clock(10**6, 0, "10^-6 s")
NANOSECOND_CLOCK = Clock(10**9, 0, "10^-9 s")


def read_options(body: bytes, start: int, order: ByteOrder, offset: int, block: str) -> tuple[list[Option], Anomaly | None]:
    """Options of `body[start:]` up to the end mark, and what is wrong with the one that does not fit, if any.

    offset: of `body` in the file; block: the block's name, for the message.
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
    """A Section Header Block's body (from the byte-order magic on, at least 16 bytes), its comments, and what is odd."""
    version = (int.from_bytes(body[4:6], order), int.from_bytes(body[6:8], order))
    options, anomaly = read_options(body, 16, order, offset + 8, "Section Header Block")
    section = Section(
        offset, order, version, _text(options, SHB_HARDWARE), _text(options, SHB_OS), _text(options, SHB_USERAPPL)
    )
    return section, comments_of(options), anomaly


def read_interface(
    body: bytes, order: ByteOrder, offset: int, number: int, section: int
) -> tuple[Interface, Clock, list[bytes], Anomaly | None]:
    """An Interface Description Block's body (at least 8 bytes), its clock, its comments, and what is odd."""
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
    """An Interface Statistics Block's body (at least 12 bytes) about interface `number`, and what is odd."""
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
    """A Name Resolution Block's IPv4 and IPv6 records: address as text, and its names in the order written."""
    records, anomaly = read_options(body, 0, order, offset + 8, "Name Resolution Block")
    names = []
    for kind, value in records:
        if kind == NRES_IP4 and len(value) > 4:
            names.append((str(IPv4Address(value[:4])), _names(value[4:])))
        elif kind == NRES_IP6 and len(value) > 16:
            names.append((str(IPv6Address(value[:16])), _names(value[16:])))
    return names, anomaly


def read_secrets(body: bytes, order: ByteOrder, offset: int) -> tuple[tuple[int, bytes] | None, Anomaly | None]:
    """A Decryption Secrets Block's type and secrets; nothing where its length does not fit."""
    if len(body) < 8:
        return None, Anomaly("Decryption Secrets Block", offset, f"{len(body)} bytes are too few for its fixed fields")
    length = int.from_bytes(body[4:8], order)
    if length > len(body) - 8:
        return None, Anomaly(
            "Decryption Secrets Block.length", offset + 12, f"{length} bytes declared, {len(body) - 8} in the block"
        )
    return (int.from_bytes(body[0:4], order), body[8 : 8 + length]), None


def comments_of(options: Sequence[Option]) -> list[bytes]:
    """The comments among a block's options."""
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
    # The first byte tells a filter as typed (0) from compiled BPF (1), which has no text.
    return _decode(value[1:]) if value[0] == 0 else f"BPF program of {len(value[1:]) // 8} instructions"


def _clock(options: Sequence[Option], order: ByteOrder) -> Clock:
    resolution = _bytes(options, IF_TSRESOL)
    exponent = resolution[0] if resolution else 6
    base = 2 if exponent & 0x80 else 10
    seconds = _bytes(options, IF_TSOFFSET)
    offset = int.from_bytes(seconds, order, signed=True) if seconds is not None and len(seconds) == 8 else 0
    # Python's integers make even 10^-127 exact, so a nonsensical resolution needs no other care than the range of the result.
    return Clock(base ** (exponent & 0x7F), offset, f"{base}^-{exponent & 0x7F} s")


def _ticks(value: bytes, order: ByteOrder) -> int:
    """A pcapng time: two 32-bit words, the high one first in either byte order."""
    return int.from_bytes(value[0:4], order) << 32 | int.from_bytes(value[4:8], order)


def _time(options: Sequence[Option], wanted: int, order: ByteOrder, clock: Clock) -> int | None:
    value = _bytes(options, wanted)
    return clock.at(_ticks(value, order)) if value is not None and len(value) == 8 else None


def _count(options: Sequence[Option], wanted: int, order: ByteOrder) -> int | None:
    value = _bytes(options, wanted)
    return int.from_bytes(value, order) if value is not None and len(value) == 8 else None


def _names(value: bytes) -> tuple[str, ...]:
    return tuple(_decode(name) for name in value.split(b"\0") if name)
