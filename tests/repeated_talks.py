"""Conversations of which one repeats what another has: captures of several TCP connections, with chosen times and addresses."""

import struct
from collections.abc import Iterable
from pathlib import Path

from conversations import ADDRESSES, START, Flight, Segment, Tap, packetise
from conversations import talk as made_once

from analyzer.capture.capture_reader import CaptureReader
from analyzer.tls.session import Session

DAY = 86_400_000_000_000
OTHER_SERVER = b"\x0a\x00\x00\x63"


def talk(version: str, number: int) -> list[Flight]:
    """Return a TLS session of OpenSSL. Another number gives another session."""
    return list(made_once(version, requests=(300 + number,)))


def session_of(flights: Iterable[Flight]) -> Session:
    """Return the session in these flights."""
    tap = Tap()
    tap.feed(*packetise(flights))
    (one,) = tap.close()
    return one


def swapped(flights: Iterable[Flight], old: bytes, new: bytes) -> list[Flight]:
    """Return flights in which bytes are replaced by others, as many as there were."""
    assert len(old) == len(new) > 0
    assert any(old in data for _, data in flights)
    return [(side, data.replace(old, new)) for side, data in flights]


class Capture:
    """A capture that is made frame by frame; each of them a millisecond after the one before."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, bytes]] = []
        self.at = START
        self._port = 50_000

    def add(self, flights: Iterable[Flight], server: bytes = ADDRESSES[1], server_port: int = 443) -> None:
        """Add a connection, from the next port of the client."""
        self._port += 1
        for segment in packetise(flights, ports=(self._port, server_port)):
            self.add_segment(segment, server)

    def add_segment(self, segment: Segment, server: bytes = ADDRESSES[1]) -> None:
        """Add one segment."""
        frame = segment.frame()
        self.frames.append((self.at, frame[:26] + frame[26:34].replace(ADDRESSES[1], server) + frame[34:]))
        self.at += 1_000_000

    def add_file(self, path: Path, wait: int = 0, after: int = 0) -> None:
        """Add the frames of a file. wait: nanoseconds between frame number `after` and the next one, more than they have."""
        reader = CaptureReader([str(path)])
        for packet_reader in reader.packet_readers():
            while packet_reader.advance():
                frame = packet_reader.frame
                late = wait if frame.number > after else 0
                self.frames.append((frame.at + late, bytes(frame.data[frame.start : frame.end])))

    def write(self, path: Path) -> Path:
        """Write the capture, with nanoseconds (magic number 0xa1b23c4d). Return the path."""
        parts = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)]
        for at, data in self.frames:
            parts.append(struct.pack("<IIII", *divmod(at, 1_000_000_000), len(data), len(data)) + data)
        path.write_bytes(b"".join(parts))
        return path
