"""Builds Ethernet frames with IP, TCP and UDP whose checksums fit, and observes them as a report does."""

import io
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analyzer.capture.blocks import Statistics
from analyzer.capture.capture_reader import CaptureReader, FileFacts
from analyzer.capture.capture_writer import PcapngWriter
from analyzer.engine import Engine
from analyzer.engine.run import run
from analyzer.report.capture_observations import CaptureWatch

START = 1_700_000_000_123_456_789
ETHERNET = 1
CLIENT, SERVER = "192.0.2.1", "198.51.100.7"
SYN, RST, PSH, ACK = 2, 4, 8, 16


@dataclass(frozen=True)
class Segment:
    """A TCP segment. tsval: its timestamp, None without one."""

    sequence: int = 1
    acknowledgement: int = 1
    payload: bytes = b""
    flags: int = ACK
    identification: int = 1
    hops: int = 64
    tsval: int | None = None
    source: tuple[str, int] = (CLIENT, 40000)
    destination: tuple[str, int] = (SERVER, 443)

    def frame(self) -> bytes:
        """The frame, from its Ethernet header on."""
        options = b"" if self.tsval is None else struct.pack(">BBBBII", 1, 1, 8, 10, self.tsval, 0)
        ports = struct.pack(">HH", self.source[1], self.destination[1])
        size = (20 + len(options)) // 4 << 12 | self.flags
        fixed = struct.pack(">IIHHHH", self.sequence, self.acknowledgement, size, 1000, 0, 0)
        body = ports + fixed + options + self.payload
        return ip(self.source[0], self.destination[0], 6, body, 16, self.identification, self.hops)


def datagram(payload: bytes, identification: int = 1, source: str = CLIENT, destination: str = SERVER) -> bytes:
    """A frame with a UDP datagram."""
    body = struct.pack(">HHHH", 5000, 5001, 8 + len(payload), 0) + payload
    return ip(source, destination, 17, body, 6, identification, 64)


def ip(source: str, destination: str, protocol: int, body: bytes, field: int, identification: int, hops: int) -> bytes:
    """A frame with an IP packet. field: where the checksum is in its body."""
    version = socket.AF_INET6 if ":" in source else socket.AF_INET
    addresses = socket.inet_pton(version, source) + socket.inet_pton(version, destination)
    found = checksum(addresses + struct.pack(">II", len(body), protocol) + body) or 0xFFFF
    body = body[:field] + found.to_bytes(2) + body[field + 2 :]
    if version == socket.AF_INET6:
        return ethernet(0x86DD, struct.pack(">IHBB", 6 << 28, len(body), protocol, hops) + addresses + body)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), identification, 0x4000, hops, protocol, 0) + addresses
    return ethernet(0x0800, head[:10] + checksum(head).to_bytes(2) + head[12:] + body)


def ethernet(kind: int, body: bytes) -> bytes:
    """A frame with an EtherType."""
    return bytes(range(12)) + kind.to_bytes(2) + body


def checksum(data: bytes) -> int:
    """The checksum of RFC 1071, in another way than the analyzer computes it."""
    total = sum(int.from_bytes(data[at : at + 2].ljust(2, b"\0")) for at in range(0, len(data), 2))
    return 0xFFFF - total % 0xFFFF if total % 0xFFFF else 0 if total else 0xFFFF


def answer(segment: Segment, **changes: object) -> Segment:
    """A segment in the other direction."""
    return replace(segment, source=segment.destination, destination=segment.source, **changes)  # type: ignore[arg-type]


Timed = tuple[int, bytes] | tuple[int, bytes, int]
"""A time, a frame, and its length on the wire if that is another one."""


def write(
    path: Path, frames: Iterable[Timed], snap_length: int = 0, application: str = "", counters: Statistics | None = None
) -> Path:
    """Write a capture with one interface, in nanoseconds."""
    file = io.BytesIO()
    writer = PcapngWriter(file, application=application)
    writer.write_interface(ETHERNET, snap_length)
    for at, data, *wire in frames:
        writer.write_frame(at, data, wire[0] if wire else None)
    if counters is not None:
        writer.write_statistics(counters)
    path.write_bytes(file.getvalue())
    return path


def watch(*paths: Path) -> tuple[CaptureWatch, list[FileFacts]]:
    """Read captures as a report does. Return the listener that has seen all packets, and the facts of the files."""
    reader, seen = CaptureReader([str(path) for path in paths], hashing=True), CaptureWatch()
    run(reader, Engine(detailed=True, places=False), [seen])
    return seen, reader.files


def observe(*paths: Path) -> dict[str, dict[str, Any]]:
    """Return the observations on captures by their codes, without that on what was compared. Each code comes once."""
    seen, files = watch(*paths)
    found = seen.observations(files)
    assert found[0]["code"] == "integrity_scope"
    by_code = {one["code"]: one for one in found[1:]}
    assert len(by_code) == len(found) - 1
    return by_code
