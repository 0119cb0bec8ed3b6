"""Plays TCP connections packet by packet, with whatever can go wrong on the wire, and reads them as a capture.

A `Wire` has one connection. Each call is a packet; `wait` lets time pass. What does not arrive is in the capture, and its
receiver does not acknowledge it.
"""

import socket
import struct
from pathlib import Path
from typing import Any

import orjson
from conversations import talk
from frames_by_hand import START, ip, write

from analyzer.cli.main import main

CLIENT, SERVER = 0, 1
FIN, SYN, RST, ACK = 1, 2, 4, 16
ADDRESSES = ("192.0.2.10", "198.51.100.20")
MS = 1_000_000


class Wire:
    """One connection. port: of the server; source: of the client. hops: by side, the time to live of packets.

    identifications: by side, of the IPv4 header of its next packet; None where all of a side have the same.
    """

    def __init__(self, port: int = 443, source: int = 50000, start: int = START, hops: tuple[int, int] = (64, 52)) -> None:
        self.ports = (source, port)
        self.at = start
        self.hops = hops
        self.next = [1000, 9000]
        self.seen = [0, 0]
        self.frames: list[tuple[int, bytes]] = []
        self.identifications: list[int | None] = [None, None]

    def packet(self, side: int, flags: int, data: bytes = b"", *, sequence: int | None = None, hops: int = 0) -> None:
        """One packet of a side. sequence: another number than its next one."""
        self.at += MS
        number = self.next[side] if sequence is None else sequence
        ports = struct.pack(">HH", self.ports[side], self.ports[1 - side])
        answer = self.seen[side] if flags & ACK else 0
        fixed = struct.pack(">IIHHHH", number & 0xFFFFFFFF, answer & 0xFFFFFFFF, 0x5000 | flags, 60000, 0, 0)
        body = ports + fixed + data
        counted = self.identifications[side]
        self.identifications[side] = None if counted is None else counted + 1 & 0xFFFF
        addresses = ADDRESSES[side], ADDRESSES[1 - side]
        frame = ip(*addresses, socket.IPPROTO_TCP, body, 16, 1 if counted is None else counted, hops or self.hops[side])
        self.frames.append((self.at, frame))

    def wait(self, seconds: float) -> "Wire":
        """Let time pass."""
        self.at += int(seconds * 1e9)
        return self

    def open(self) -> "Wire":
        """The three packets that open a connection."""
        return self.syn().accept().ack(CLIENT)

    def syn(self) -> "Wire":
        """A SYN of the client, which may be sent again."""
        self.packet(CLIENT, SYN, sequence=999)
        return self

    def accept(self) -> "Wire":
        """The server's answer to the SYN."""
        self.seen = [9000, 1000]
        self.packet(SERVER, SYN | ACK, sequence=8999)
        return self

    def ack(self, side: int) -> "Wire":
        """An acknowledgement of all that has arrived."""
        self.packet(side, ACK)
        return self

    def say(self, side: int, data: bytes, arrives: bool = True, size: int = 2000) -> "Wire":
        """Data of a side, which its peer acknowledges if it arrives."""
        for place in range(0, len(data), size):
            piece = data[place : place + size]
            self.packet(side, ACK, piece)
            self.next[side] += len(piece)
        if arrives:
            self.seen[1 - side] = self.next[side]
            self.ack(1 - side)
        return self

    def again(self, side: int, n: int, times: int, pause: float = 1.0) -> "Wire":
        """The last `n` bytes of a side again, whatever they were."""
        for _ in range(times):
            self.wait(pause)
            self.packet(side, ACK, self.last(side)[-n:], sequence=self.next[side] - n)
        return self

    def last(self, side: int) -> bytes:
        """The content of the last packet with data of a side."""
        return next(
            data[54:] for _, data in reversed(self.frames) if data[26:30] == socket.inet_aton(ADDRESSES[side]) and data[54:]
        )

    def fin(self, side: int) -> "Wire":
        """A side closes."""
        self.packet(side, FIN | ACK)
        self.next[side] += 1
        self.seen[1 - side] = self.next[side]
        return self

    def close(self, side: int) -> "Wire":
        """Both close, one after the other."""
        return self.fin(side).fin(1 - side).ack(side)

    def rst(self, side: int, hops: int = 0) -> "Wire":
        """A side resets the connection, or somebody with another time to live does in its name."""
        self.packet(side, RST | ACK, hops=hops)
        return self


def play(folder: Path, *wires: Wire, arguments: tuple[str, ...] = ()) -> dict[str, Any]:
    """Read connections that go on at the same time: the summary, with the records of the sessions under `records`."""
    capture = write(folder / "wire.pcapng", sorted((frame for wire in wires for frame in wire.frames), key=lambda one: one[0]))
    summary = run(folder, "summary", str(capture), *arguments)[0]
    summary["records"] = run(folder, "sessions", str(capture), *arguments)
    return summary


def run(folder: Path, command: str, *arguments: str) -> list[dict[str, Any]]:
    """Run a command, and return its JSON."""
    out = folder / f"{command}.json"
    main([command, *arguments, "--format", "json", "-o", str(out)])
    return [orjson.loads(line) for line in out.read_bytes().splitlines()]


def outcome(folder: Path, wire: Wire, arguments: tuple[str, ...] = ()) -> dict[str, Any]:
    """The outcome of one connection that became a session."""
    (record,) = play(folder, wire, arguments=arguments)["records"]
    found: dict[str, Any] = record["outcome"]
    return found


def failure(folder: Path, wire: Wire) -> dict[str, Any] | None:
    """The outcome of one connection that failed; None if it is no failure."""
    listed = play(folder, wire)["failures"]
    assert len(listed) < 2
    return listed[0]["outcome"] if listed else None


def short(found: dict[str, Any] | None) -> tuple[Any, ...]:
    """Result, who, step and cause."""
    assert found is not None
    return found["result"], found["ended_by"], found["step"], found["cause"]


def hello(version: str = "TLSv1_3") -> bytes:
    """A whole ClientHello in its record."""
    return talk(version)[0][1]


def flights(version: str = "TLSv1_3") -> list[tuple[int, bytes]]:
    """A whole session: who speaks, and what."""
    return list(talk(version))
