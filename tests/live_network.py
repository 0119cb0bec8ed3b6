"""Makes a network namespace for a test, with `lo` and a pair of virtual Ethernet interfaces: what one sends, one receives."""

import ctypes
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from analyzer.capture.live.live_capture import LiveCapture

CLONE_NEWNET = 0x40000000
MOST_TURNS = 100
"""Turns after which a test that waits for frames gives up: 20 seconds on a quiet interface."""


class Captured(NamedTuple):
    """One frame of a live capture."""

    number: int
    at: int
    data: bytes
    wire_length: int
    link_type: int
    interface: int


class Network:
    """The namespace in which the test runs. Frames that are sent through `near` arrive at `far`."""

    near = "near0"
    far = "far0"

    def ip(self, *words: str) -> None:
        """Run `ip` of iproute2 in the namespace."""
        subprocess.run(["ip", *words], check=True)

    def make_pair(self) -> None:
        """Make the pair of interfaces, and set it up. Nothing but the test sends through it."""
        self.ip("link", "add", self.near, "type", "veth", "peer", "name", self.far)
        for name in (self.near, self.far):
            Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
            self.ip("link", "set", name, "up")
        for name in (self.near, self.far):
            self.wait_for_link(name)

    def wait_for_link(self, name: str) -> None:
        """Wait until the kernel has noticed that the interface has a link; before that it sends nothing."""
        for _ in range(100):
            shown = subprocess.run(["ip", "-o", "link", "show", name], check=True, capture_output=True, text=True).stdout
            if " state UP " in shown:
                return
            time.sleep(0.02)
        raise AssertionError(f"{name} has no link: {shown}")

    def send(self, *frames: bytes, interface: str = near) -> None:
        """Send Ethernet frames through an interface, as they are."""
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sender:
            sender.bind((interface, 0))
            for frame in frames:
                sender.send(frame)


@contextmanager
def new_network() -> Iterator[Network]:
    """Move this thread into a namespace of its own, and back. Raises PermissionError without CAP_SYS_ADMIN."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(CLONE_NEWNET) != 0:
            raise PermissionError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        try:
            made = Network()
            made.ip("link", "set", "lo", "up")
            made.make_pair()
            yield made
        finally:
            assert libc.setns(before, CLONE_NEWNET) == 0
    finally:
        os.close(before)


def ethernet(number: int, n_bytes: int = 60, ether_type: bytes = b"\x88\xb5") -> bytes:
    """A frame that names itself by its number. Its EtherType is for local experiments, so that nobody answers."""
    head = b"\xff" * 6 + b"\x02\0\0\0\0\1" + ether_type + number.to_bytes(4, "big")
    return head + bytes(n_bytes - len(head))


def udp(number: int, port: int) -> bytes:
    """An Ethernet frame with a UDP datagram to a port."""
    payload = number.to_bytes(4, "big")
    datagram = (5000).to_bytes(2, "big") + port.to_bytes(2, "big") + (8 + len(payload)).to_bytes(2, "big") + b"\0\0" + payload
    addresses = bytes((192, 0, 2, 1, 192, 0, 2, 2))
    packet = b"\x45\0" + (20 + len(datagram)).to_bytes(2, "big") + b"\0\0\0\0\x40\x11\0\0" + addresses + datagram
    return b"\xff" * 6 + b"\x02\0\0\0\0\1\x08\0" + packet


def frames_of(capture: "LiveCapture", n_frames: int, n_turns: int = MOST_TURNS) -> list[Captured]:
    """Read at least `n_frames` frames, or what comes in so many turns. The capture can be read further."""
    found: list[Captured] = []
    for turn, reader in enumerate(capture.packet_readers()):
        frame = reader.frame
        while reader.advance():
            data = frame.data[frame.start : frame.end]
            found.append(Captured(frame.number, frame.at, data, frame.wire_length, frame.link_type, frame.interface))
        if len(found) >= n_frames or turn >= n_turns:
            break
    return found
