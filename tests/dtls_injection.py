"""Injects datagrams into recorded DTLS sessions: whoever knows two ports can send them, with any record in them."""

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from conversations import read_sessions

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record

CAPTURED = Path(__file__).parents[1] / "captures"

Packet = tuple[int, bytes]
"""Time in microseconds, and the frame."""

HEAD = bytes.fromhex("d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000")
"""The header of a capture in the classic format."""

CLIENT, SERVER = 0, 1
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
PAYLOAD = 42
"""Where a datagram begins in a frame of Ethernet with IPv4."""


def written(path: Path, head: bytes, packets: Iterable[Packet]) -> Path:
    """Write a capture."""
    records = [struct.pack("<4I", at // 1_000_000, at % 1_000_000, len(frame), len(frame)) + frame for at, frame in packets]
    path.write_bytes(head + b"".join(records))
    return path


def captured(name: str) -> tuple[bytes, list[Packet], KeyLog]:
    """The header of a capture in the classic format, and packets and keys of a capture in `captures`."""
    packets: list[Packet] = []
    for frame_reader in CaptureReader([str(CAPTURED / name / f"{name}.pcapng")]).packet_readers():
        while frame_reader.advance():
            frame = frame_reader.frame
            packets.append((frame.at // 1000, bytes(frame.data[frame.start : frame.end])))
    keys = KeyLog()
    keys.take((CAPTURED / name / f"{name}.keys").read_bytes(), "keys")
    return HEAD, packets, keys


def plain(content_type: int, body: bytes, number: int = 900, epoch: int = 0) -> bytes:
    """A record whose header has no connection ID."""
    return struct.pack(">BHHHIH", content_type, 0xFEFD, epoch, 0, number, len(body)) + body


def message(kind: int, sequence: int, body: bytes, length: int | None = None, offset: int = 0) -> bytes:
    """A fragment of a handshake message; the whole message without `length`."""
    whole = (len(body) if length is None else length).to_bytes(3, "big")
    return (
        bytes((kind,)) + whole + sequence.to_bytes(2, "big") + offset.to_bytes(3, "big") + len(body).to_bytes(3, "big") + body
    )


def parts(frame: bytes) -> list[tuple[int, int, bytes]]:
    """Content type, epoch and body of each record with a plain header in a frame."""
    found, pos = [], PAYLOAD
    while pos + 13 <= len(frame) and 20 <= frame[pos] <= 26:
        length = int.from_bytes(frame[pos + 11 : pos + 13], "big")
        found.append((frame[pos], int.from_bytes(frame[pos + 3 : pos + 5], "big"), frame[pos + 13 : pos + 13 + length]))
        pos += 13 + length
    return found


class Talk:
    """A recorded session of two ends, into which a stranger sends."""

    def __init__(self, name: str) -> None:
        self.head, self.packets, self.keys = captured(name)
        self.client = self.packets[0][1][26:30]

    def role(self, place: int) -> int:
        """Who sent a packet."""
        return CLIENT if self.packets[place][1][26:30] == self.client else SERVER

    def first(self, kind: int) -> int:
        """The place of the first packet with a plaintext handshake message of a type."""
        return next(place for place in range(len(self.packets)) if self.has(place, kind))

    def has(self, place: int, kind: int) -> bool:
        """Whether a packet has a plaintext handshake message of a type."""
        return any(
            content == HANDSHAKE and epoch == 0 and body[0] == kind for content, epoch, body in parts(self.packets[place][1])
        )

    def parts_at(self, place: int) -> list[tuple[int, int, bytes]]:
        """Content type, epoch and body of each record of a packet."""
        return parts(self.packets[place][1])

    def message_at(self, place: int, kind: int) -> bytes:
        """The content of the record of a packet with that message."""
        return next(body for content, _, body in parts(self.packets[place][1]) if content == HANDSHAKE and body[0] == kind)

    def insert(self, place: int, role: int, datagram: bytes) -> None:
        """Send a datagram as if of a role, just before the packet at a place."""
        model = next(frame for spot, (_, frame) in enumerate(self.packets) if self.role(spot) == role)
        size = len(datagram)
        frame = (
            model[:16]
            + (28 + size).to_bytes(2, "big")
            + b"\x57\x47"
            + model[20:38]
            + (8 + size).to_bytes(2, "big")
            + b"\0\0"
            + datagram
        )
        at = self.packets[place][0] if place < len(self.packets) else self.packets[-1][0]
        self.packets.insert(place, (at, frame))

    def read(self, folder: Path, keys: bool = True) -> list[dict[str, Any]]:
        """The session records of the capture."""
        path = written(folder / f"{id(self)}.pcap", self.head, self.packets)
        engine = Engine(keylog=self.keys) if keys else Engine()
        records = [session_record(session, False) for session in read_sessions(CaptureReader([str(path)]), engine)]
        path.unlink()  # to write a file again is slow
        return records
