"""Makes captures of one traffic at two places: real TLS endpoints, a path with two taps between them, and a proxy that ends
TLS.

The endpoints are OpenSSL over the loopback interface, through relays that take down what each side sends and when. The packets
are made of that: a tap sees them after the routers before it, by its own clock, and without those that were lost.
"""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from authorities import issue, key
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from frames_by_hand import START, ip, write

from analyzer.analysis.two_places import TwoPlaces, compare_places
from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.engine.run import run
from analyzer.store.place_facts import PlaceFacts

CLIENT, SERVER = 0, 1
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MS = 1_000_000
HOUR = 3_600_000_000_000
PATIENCE = 10

Chunk = tuple[int, int, bytes]
"""Time, side, and what it sent."""

Ends = tuple[tuple[str, int], tuple[str, int]]
NEAR: Ends = (("10.0.0.5", 50000), ("203.0.113.7", 443))


@dataclass(frozen=True)
class Sent:
    """A packet where its sender sends it. at: the time there; hops: the time to live that it starts with."""

    at: int
    side: int
    flags: int
    sequence: int
    acknowledgement: int
    payload: bytes = b""
    mss: int = 0
    hops: int = 64
    identification: int = 0

    def frame(self, ends: Ends, hops: int) -> bytes:
        """The frame, between these ends."""
        options = struct.pack(">BBHBBBB", 2, 4, self.mss, 1, 1, 4, 2) if self.mss else b""
        (source, port), (destination, other) = ends[self.side], ends[1 - self.side]
        fixed = struct.pack(">HHIIHHHH", port, other, self.sequence & 0xFFFFFFFF, self.acknowledgement & 0xFFFFFFFF,
                            (20 + len(options)) // 4 << 12 | self.flags, 60000, 0, 0)  # fmt: skip
        return ip(source, destination, socket.IPPROTO_TCP, fixed + options + self.payload, 16, self.identification, hops)


@dataclass
class Tap:
    """A place on the path. distance: routers between it and the client; in all there are `between`. delay: from the client, in
    nanoseconds; `whole` is that to the server. ahead: its clock; drift: in millionths. ends: addresses as they are there.
    mss: the largest that passes. numbers: what is added to the sequence numbers of both sides.
    """

    distance: int
    delay: int
    ahead: int = 0
    drift: float = 0.0
    ends: Ends = NEAR
    between: int = 10
    whole: int = 20 * MS
    mss: int = 0
    numbers: tuple[int, int] = (0, 0)
    frames: list[tuple[int, bytes]] = field(default_factory=list)

    def see(self, packet: Sent) -> None:
        """Take a packet that comes by."""
        client = packet.side == CLIENT
        passed = self.distance if client else self.between - self.distance
        at = packet.at + (self.delay if client else self.whole - self.delay)
        mine, others = self.numbers[packet.side], self.numbers[1 - packet.side]
        shown = replace(
            packet,
            sequence=packet.sequence + mine,
            acknowledgement=packet.acknowledgement + others if packet.flags & ACK else 0,
            mss=min(packet.mss, self.mss or packet.mss),
        )
        clock = at + self.ahead + round((at - START) * self.drift / 1e6)
        self.frames.append((clock, shown.frame(self.ends, packet.hops - passed)))

    def write(self, path: Path) -> Path:
        """Write the capture."""
        return write(path, sorted(self.frames, key=lambda one: one[0]))


def packets(
    chunks: Iterable[Chunk], isns: tuple[int, int] = (0x12345678, 0xFFFFF000), mss: int = 1400, start: int = START
) -> list[Sent]:
    """The packets of a connection, as both sides send them: opened, each segment acknowledged, and closed."""
    following, found = [*isns], []
    at = start

    def send(side: int, flags: int, payload: bytes = b"", size: int = 0) -> None:
        nonlocal at
        at += MS
        answer = following[1 - side] if flags & ACK else 0
        found.append(Sent(at, side, flags, following[side], answer, payload, size, identification=len(found) + 1))
        following[side] += len(payload) + bool(flags & (SYN | FIN))

    send(CLIENT, SYN, size=1460)
    at += 40 * MS
    send(SERVER, SYN | ACK, size=1460)
    at += 40 * MS
    send(CLIENT, ACK)
    began = None
    for when, side, data in chunks:
        began = when if began is None else began
        at = max(at + 45 * MS, start + when - began)
        for place in range(0, len(data), mss):
            send(side, ACK | PSH, data[place : place + mss])
        at += 45 * MS
        send(1 - side, ACK)
    send(CLIENT, FIN | ACK)
    at += 45 * MS
    send(SERVER, FIN | ACK)
    at += 45 * MS
    send(CLIENT, ACK)
    return found


def through(
    sent: Iterable[Sent],
    a: Tap,
    b: Tap,
    lost: Iterable[Sent] = (),
    missed_a: Iterable[Sent] = (),
    missed_b: Iterable[Sent] = (),
) -> None:
    """Let packets pass both taps; A is nearer to the client. lost: those that do not come to the second tap; missed_a,
    missed_b: those that come by and that a capture does not get.
    """
    gone, no_a, no_b = (set(map(id, listed)) for listed in (lost, missed_a, missed_b))
    for packet in sent:
        first = a if packet.side == CLIENT else b
        for tap, missed in ((a, no_a), (b, no_b)):
            if id(packet) not in missed and (tap is first or id(packet) not in gone):
                tap.see(packet)


def read(tap: Tap, folder: Path, name: str = "tap") -> PlaceFacts:
    """What `compare` knows of a tap."""
    return facts_of(tap.write(folder / f"{name}.pcapng"))


def facts_of(capture: Path) -> PlaceFacts:
    """What `compare` knows of a capture."""
    facts = PlaceFacts(None, by_packet=True)
    run(CaptureReader([str(capture)]), Engine(fields=False), [facts])
    return facts


def places(folder: Path, a: Tap, b: Tap) -> TwoPlaces:
    """The comparison of two taps."""
    return compare_places(read(a, folder, "a").place(), read(b, folder, "b").place())


def copy_of(packet: Sent, after: int = 300 * MS) -> Sent:
    """The same packet, sent again later."""
    return replace(packet, at=packet.at + after, identification=9000 + packet.identification)


def in_order(*sent: Sent) -> list[Sent]:
    """Packets in the order of their times."""
    return sorted(sent, key=lambda one: one.at)


class Relay:
    """Passes connections on to a port. connections: what each side sent, with the times."""

    def __init__(self, to_port: int) -> None:
        self.connections: list[list[Chunk]] = []
        self._to_port = to_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[threading.Thread] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def finish(self) -> list[list[Chunk]]:
        """Wait for what is open."""
        for thread in self._open:
            thread.join(PATIENCE)
        self._listening.close()
        return self.connections

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed: no more connections
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._to_port))
                chunks: list[Chunk] = []
                self.connections.append(chunks)
                for side, (one, other) in enumerate(((client, server), (server, client))):
                    self._open.append(threading.Thread(target=pump, args=(one, other, side, chunks), daemon=True))
                    self._open[-1].start()


def pump(one: socket.socket, other: socket.socket, side: int, chunks: list[Chunk]) -> None:
    """Pass on what comes, and take it down."""
    with contextlib.suppress(OSError):
        while data := one.recv(1 << 16):
            chunks.append((time.time_ns(), side, data))
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


def server_context(folder: Path, name: str, issuer: str) -> ssl.SSLContext:
    """A context with a certificate for a name, which this authority issued."""
    made = issue(name, issuer, x509.SubjectAlternativeName([x509.DNSName(name)]))
    file = folder / f"{name}-{issuer}.pem".replace(" ", "-")
    secret = key(name).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # its certificates can be seen without keys
    context.load_cert_chain(file)
    return context


def client_context() -> ssl.SSLContext:
    """A context of a client that trusts everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextlib.contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port at which each connection is given to a function in a thread of its own."""
    door = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):  # closed: the test is over
            while True:
                threading.Thread(target=serve, args=(door.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield int(door.getsockname()[1])
    finally:
        door.close()


def answering(context: ssl.SSLContext) -> Callable[[socket.socket], None]:
    """A server that sends 6000 bytes for each request."""

    def serve(plain: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
            while connection.recv(1000):
                connection.sendall(b"a" * 6000)

    return serve


def ending_tls(context: ssl.SSLContext, to_port: int, name: str) -> Callable[[socket.socket], None]:
    """A proxy that ends TLS with a certificate of its own, and begins it again towards the server."""
    upstream = client_context()
    upstream.set_ciphers("ECDHE+AESGCM")
    upstream.maximum_version = ssl.TLSVersion.TLSv1_2

    def serve(plain: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            context.wrap_socket(plain, server_side=True) as near,
            socket.create_connection(("127.0.0.1", to_port)) as far_plain,
            upstream.wrap_socket(far_plain, server_hostname=name) as far,
        ):
            while request := near.recv(1000):
                far.sendall(request)
                left = 6000
                while left and (data := far.recv(left)):
                    near.sendall(data)
                    left -= len(data)

    return serve


def ask(port: int, name: str, times: int = 1, host: str = "127.0.0.1") -> None:
    """Ask a server, which sends 6000 bytes for each request."""
    with (
        socket.create_connection((host, port)) as plain,
        client_context().wrap_socket(plain, server_hostname=name) as connection,
    ):
        for _ in range(times):
            connection.sendall(b"question")
            left = 6000
            while left:
                left -= len(connection.recv(left)) or left


def direct(folder: Path, *names: str) -> list[list[Chunk]]:
    """What is sent in connections to servers with these names, nobody between them."""
    found = []
    for name in names:
        with listening(answering(server_context(folder, name, "Honest CA"))) as port:
            relay = Relay(port)
            ask(relay.port, name, times=3)
            found += relay.finish()
    return found


def intercepted(folder: Path, *names: str) -> tuple[list[list[Chunk]], list[list[Chunk]]]:
    """What is sent on both sides of a proxy that ends TLS, in connections to servers with these names."""
    near, far = [], []
    for name in names:
        with listening(answering(server_context(folder, name, "Honest CA"))) as port:
            upstream = Relay(port)
            with listening(ending_tls(server_context(folder, name, "Corporate Proxy"), upstream.port, name)) as proxy:
                relay = Relay(proxy)
                ask(relay.port, name)
                near += relay.finish()
                far += upstream.finish()
    return near, far
