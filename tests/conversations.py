"""Makes conversations for the tests: real TLS from OpenSSL, split into TCP segments, put into Ethernet frames, and read again.

A conversation is a list of flights `(side, bytes)`. A capture is a list of `Segment`. A test changes the capture and reads
both.
"""

import contextlib
import copy
import datetime
import ssl
import struct
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.frame import Frame
from analyzer.engine import Engine
from analyzer.store.session_record import session_record
from analyzer.tls.events import Event, SessionEnded
from analyzer.tls.session import Session

CLIENT, SERVER = 0, 1
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
PORTS = (50000, 443)
ADDRESSES = (b"\x0a\x00\x00\x01", b"\x0a\x00\x00\x02")
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND

Flight = tuple[int, bytes]


@cache
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A client's and a server's context, with a certificate of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example.test")])
    begin = datetime.datetime(2020, 1, 1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin.replace(year=2040))
        .sign(key, hashes.SHA256())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder, "server.pem")
        secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        pem.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
        server.load_cert_chain(pem)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    return client, server


@cache
def talk(version: str = "TLSv1_3", requests: tuple[int, ...] = (300, 5000), close: bool = True) -> tuple[Flight, ...]:
    """Return a whole TLS session as flights: handshake, one request and response of so many bytes each, close_notify."""
    client_context, server_context = contexts()
    client_context.minimum_version = ssl.TLSVersion.TLSv1_2
    client_context.maximum_version = ssl.TLSVersion[version]
    flights: list[Flight] = []
    inward, outward, to_server, to_client = (ssl.MemoryBIO() for _ in range(4))
    client = client_context.wrap_bio(to_client, outward, server_hostname="example.test")
    server = server_context.wrap_bio(to_server, inward, server_side=True)

    def carry(side: int) -> None:
        data = (outward, inward)[side].read()
        if data:
            (to_server, to_client)[side].write(data)
            flights.append((side, data))

    done = [False, False]
    while not all(done):
        for side, peer in enumerate((client, server)):
            if not done[side]:
                try:
                    peer.do_handshake()
                    done[side] = True
                except ssl.SSLWantReadError:
                    done[side] = False
            carry(side)
    for n_bytes in requests:
        client.write(b"q" * min(n_bytes, 700))
        carry(CLIENT)
        server.read(1 << 16)
        server.write(b"a" * n_bytes)
        carry(SERVER)
        client.read(1 << 20)
    if close:
        for side, peer in enumerate((client, server)):
            with contextlib.suppress(ssl.SSLError):
                peer.unwrap()
            carry(side)
    return tuple(flights)


@dataclass(frozen=True)
class Segment:
    """One TCP segment of a capture."""

    side: int
    sequence: int
    acknowledgement: int
    flags: int
    payload: bytes = b""
    vlan: int = 0
    cut: int = 0
    ports: tuple[int, int] = PORTS

    def frame(self) -> bytes:
        """The Ethernet frame as captured."""
        tcp = struct.pack(
            ">HHIIBBHHH",
            self.ports[self.side],
            self.ports[1 - self.side],
            self.sequence & 0xFFFFFFFF,
            self.acknowledgement & 0xFFFFFFFF,
            0x50,
            self.flags,
            0xFFFF,
            0,
            0,
        )
        n_bytes = 20 + len(tcp) + len(self.payload)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, n_bytes, 0, 0, 64, 6, 0, ADDRESSES[self.side], ADDRESSES[1 - self.side])
        link = b"\x02\0\0\0\0\1\x02\0\0\0\0\2" + (struct.pack(">HH", 0x8100, self.vlan) if self.vlan else b"") + b"\x08\x00"
        return link + ip + tcp + self.payload

    @property
    def moved(self) -> "Segment":
        """The same on another VLAN."""
        return replace(self, vlan=7)


def packetise(
    flights: Iterable[Flight],
    *,
    mss: int | tuple[int, int] = 700,
    isns: tuple[int, int] = (1000, 900_000),
    syn: bool = True,
    fin: bool = True,
    acks: bool = False,
    ports: tuple[int, int] = PORTS,
) -> list[Segment]:
    """Return the segments of a connection with these flights; with `acks` each data segment is acknowledged by an empty one."""
    sizes = (mss, mss) if isinstance(mss, int) else mss
    following = [isns[0], isns[1]]
    segments: list[Segment] = []

    def send(side: int, flags: int, payload: bytes = b"") -> None:
        acknowledgement = following[1 - side] if flags & ACK else 0
        segments.append(Segment(side, following[side], acknowledgement, flags, payload, ports=ports))
        following[side] = (following[side] + len(payload) + bool(flags & (SYN | FIN))) & 0xFFFFFFFF

    if syn:
        send(CLIENT, SYN)
        send(SERVER, SYN | ACK)
        send(CLIENT, ACK)
    else:
        following = [(isn + 1) & 0xFFFFFFFF for isn in isns]
    for side, data in flights:
        for pos in range(0, len(data), sizes[side]):
            send(side, ACK | PSH, data[pos : pos + sizes[side]])
            if acks:
                send(1 - side, ACK)
    if fin:
        send(CLIENT, FIN | ACK)
        send(SERVER, FIN | ACK)
        send(CLIENT, ACK)
    return segments


def pcap(segments: Iterable[Segment]) -> bytes:
    """A capture file of these segments, a second apart."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
    for number, segment in enumerate(segments):
        data = segment.frame()
        parts.append(struct.pack("<IIII", START // SECOND + number, 0, len(data), len(data)) + data)
    return b"".join(parts)


class Tap:
    """An engine that is fed segments, one frame each, a millisecond apart."""

    def __init__(self, detailed: bool = False, watches_failures: bool = False) -> None:
        self.engine = Engine(detailed=detailed, watches_failures=watches_failures)
        self.frame = Frame()
        self.at = START
        self.events: list[Event] = []

    def feed(self, *segments: Segment, apart: int = 1_000_000) -> None:
        """Feed the segments."""
        for segment in segments:
            self.feed_bytes(segment.frame(), segment.cut)
            self.at += apart

    def feed_bytes(self, data: bytes, cut: int = 0) -> None:
        """Feed an Ethernet frame whose last `cut` bytes were not captured."""
        frame = self.frame
        frame.number += 1
        frame.at = self.at
        frame.data, frame.start, frame.end = data, 0, len(data) - cut
        frame.wire_length = len(data)
        frame.link_type = 1
        self.engine.feed(frame)

    def take(self) -> list[Event]:
        """The events since the last call; all are in `events`."""
        taken = self.engine.take()
        self.events += taken
        return taken

    def close(self) -> list[Session]:
        """End the capture; all sessions."""
        self.engine.close()
        self.take()
        return ended(self.events)

    def records(self) -> list[dict[str, Any]]:
        """End the capture; the records of all sessions with their messages' fields."""
        return [session_record(session, True) for session in self.close()]


def ended(events: Iterable[Event]) -> list[Session]:
    """The sessions that have ended, in the order in which they did."""
    return [event.ended for event in events if isinstance(event, SessionEnded)]


def read_sessions(reader: CaptureReader, engine: Engine) -> list[Session]:
    """All sessions of captures."""
    found: list[Session] = []
    for packet_reader in reader.packet_readers():
        engine.run(packet_reader)
        found += ended(engine.take())
    engine.close()
    return found + ended(engine.take())


def records(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    """The session records of a capture."""
    tap = Tap()
    tap.feed(*segments)
    return tap.records()


def timeless(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record without the values that depend on the number and the time of frames."""
    plain = copy.deepcopy(record)
    for key in ("first_frame", "last_frame", "start_time", "end_time"):
        del plain[key]
    for key in ("frames", "durations", "ended_by"):
        del plain["outcome"][key]
    for message in plain["handshake"]:
        del message["frame"], message["time"]
    for alert in plain["alerts"]:
        del alert["frame"]
    for gap in plain["gaps"]:
        del gap["after_frame"]
    plain["findings"] = [finding for finding in plain["findings"] if finding["code"] not in ("long_session", "retransmissions")]
    for finding in plain["findings"]:
        del finding["frames"]
    return plain


def stream(flights: Iterable[Flight], side: int) -> bytes:
    """All bytes of a side."""
    return b"".join(data for sender, data in flights if sender == side)


def handshake_types(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Types and senders of the messages."""
    return [(message["type"], message["from"]) for message in record["handshake"]]
