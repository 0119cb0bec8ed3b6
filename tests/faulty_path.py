"""A path between two network namespaces on which a test can lose packets and insert resets.

Client and server are real programs in namespaces of their own, each with a tunnel interface. This process carries the packets
from one to the other, takes down what passes as a capture does in the middle of the path, and does to each server's port what
the test wants. That needs root and /dev/net/tun.
"""

import ctypes
import fcntl
import os
import select
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from frames_by_hand import checksum

NEAR, FAR, ROUTER, ALSO_NEAR = "10.77.0.1", "10.77.0.2", "10.77.0.9", "10.77.0.3"
SMALL_MTU = 900
CLONE_NEWNET = 0x40000000
RAW_IP = 101
RST, ACK = 4, 16

Fault = Callable[["FaultyPath", int, bytes], bytes | None]
"""Takes the path, the direction (0 from the client) and a packet; returns the packet that goes on, None for none."""


class FaultyPath:
    """The path. faults: by port of the server. packets: time and bytes of all that came to the middle."""

    def __init__(self) -> None:
        self.faults: dict[int, Fault] = {}
        self.packets: list[tuple[int, bytes]] = []
        self.places: list[int] = []
        self.ends: list[int] = []
        self._stop = threading.Event()
        for name, addresses in (("near", (NEAR, ALSO_NEAR)), ("far", (FAR,))):
            place, end = _namespace(name, addresses)
            self.places.append(place)
            self.ends.append(end)
        self._carrier = threading.Thread(target=self._carry, daemon=True)
        self._carrier.start()

    def within(self, far: bool, do: Callable[[], Any]) -> Any:
        """Run a function in one of the namespaces, in a thread of its own, and return what it returns."""

        def work() -> Any:
            _enter(self.places[far])
            return do()

        with ThreadPoolExecutor(1) as alone:
            return alone.submit(work).result()

    def send(self, direction: int, packet: bytes) -> None:
        """Insert a packet, which is in the capture too."""
        self.packets.append((time.time_ns(), packet))
        os.write(self.ends[1 - direction], packet)

    def write(self, file: Path) -> Path:
        """Write what passed as a capture."""
        with file.open("wb") as out:
            out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, RAW_IP))
            for at, packet in self.packets:
                out.write(struct.pack("<IIII", at // 10**9, at % 10**9, len(packet), len(packet)) + packet)
        return file

    def close(self) -> None:
        """End the path."""
        self._stop.set()
        self._carrier.join()
        for descriptor in (*self.ends, *self.places):
            os.close(descriptor)

    def _carry(self) -> None:
        while not self._stop.is_set():
            for end in select.select(self.ends, [], [], 0.1)[0]:
                packet = os.read(end, 65535)
                if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
                    continue
                direction = self.ends.index(end)
                self.packets.append((time.time_ns(), packet))
                port = int.from_bytes(packet[22:24] if direction == 0 else packet[20:22])
                fault = self.faults.get(port)
                passed: bytes | None = packet if fault is None else fault(self, direction, packet)
                if passed is not None:
                    os.write(self.ends[1 - direction], passed)


def _namespace(name: str, addresses: tuple[str, ...]) -> tuple[int, int]:
    """Make a namespace with a tunnel interface. Return descriptors of the namespace and of the interface."""
    found: list[int] = []

    def make() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET) != 0:
            return
        try:
            end = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(end, 0x400454CA, struct.pack("16sH", name.encode(), 0x1001))
        except OSError:
            return
        added = [("addr", "add", f"{address}/24", "dev", name) for address in addresses]
        for words in (("link", "set", "lo", "up"), *added, ("link", "set", name, "up")):
            subprocess.run(["ip", *words], check=True)
        found.extend((os.open("/proc/thread-self/ns/net", os.O_RDONLY), end))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if not found:
        raise PermissionError("no network namespace with a tunnel can be made here")
    return found[0], found[1]


def _enter(place: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(place, CLONE_NEWNET) != 0:
        raise PermissionError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextmanager
def path() -> Iterator[FaultyPath]:
    """Make a path. Raises PermissionError without the right to."""
    made = FaultyPath()
    try:
        yield made
    finally:
        made.close()


def payload_of(packet: bytes) -> bytes:
    """The content of a TCP segment."""
    return packet[20 + (packet[32] >> 4) * 4 :]


def lose_all(path: FaultyPath, direction: int, packet: bytes) -> bytes | None:
    """Nothing arrives at the server."""
    return None if direction == 0 else packet


def lose_data(path: FaultyPath, direction: int, packet: bytes) -> bytes | None:
    """No segment with data arrives."""
    return None if payload_of(packet) else packet


def lose_large(path: FaultyPath, direction: int, packet: bytes) -> bytes | None:
    """No segment of the server with more than 900 bytes arrives: an MTU black hole."""
    return None if direction == 1 and len(payload_of(packet)) > 900 else packet


def reset_hello(path: FaultyPath, direction: int, packet: bytes) -> bytes | None:
    """Somebody on the path answers the ClientHello with a reset in the name of the server, and the server never gets it."""
    if direction == 0 and payload_of(packet)[:1] == b"\x16":
        path.send(1, reset_of(packet))
        return None
    return packet


def forbid(path: FaultyPath, direction: int, packet: bytes) -> bytes | None:
    """A router forbids the connection, and says so."""
    if direction == 0:
        path.send(1, error_of(packet, 13))
        return None
    return packet


def limit_size(path: FaultyPath, direction: int, packet: bytes) -> bytes | None:
    """A router has an MTU of 900 bytes behind it, and says so: the server sends smaller packets then (RFC 1191)."""
    if direction == 1 and len(packet) > SMALL_MTU:
        path.send(0, error_of(packet, 4, SMALL_MTU))
        return None
    return packet


def error_of(packet: bytes, code: int, rest: int = 0) -> bytes:
    """The ICMP error of a router about a packet, to its sender: Destination Unreachable with a code (RFC 792)."""
    body = struct.pack(">BBHI", 3, code, 0, rest) + packet[:28]
    body = body[:2] + checksum(body).to_bytes(2) + body[4:]
    addresses = socket.inet_aton(ROUTER) + packet[12:16]
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 60, socket.IPPROTO_ICMP, 0) + addresses
    return head[:10] + checksum(head).to_bytes(2) + head[12:] + body


def reset_of(packet: bytes, hops: int = 200) -> bytes:
    """A reset in the name of the receiver of a packet, with another time to live than its own."""
    sequence, acknowledged = struct.unpack(">II", packet[24:32])
    behind = sequence + len(payload_of(packet)) & 0xFFFFFFFF
    ports = packet[22:24] + packet[20:22]
    body = ports + struct.pack(">IIHHHH", acknowledged, behind, 0x5000 | RST | ACK, 0, 0, 0)
    addresses = packet[16:20] + packet[12:16]
    total = checksum(addresses + struct.pack(">HH", socket.IPPROTO_TCP, len(body)) + body)
    body = body[:16] + total.to_bytes(2) + body[18:]
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 777, 0, hops, socket.IPPROTO_TCP, 0) + addresses
    return head[:10] + checksum(head).to_bytes(2) + head[12:] + body
