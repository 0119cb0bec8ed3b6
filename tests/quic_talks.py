"""Makes conversations over QUIC for the tests: real endpoints of aioquic in this process, and captures of what they sent.

A conversation is a list of `Sent`. A test changes the list (leaves out, reorders, inserts) and reads it with `read_talk`.
"""

import io
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.packet import QuicProtocolVersion
from aioquic.tls import CipherSuite, SessionTicket
from authorities import key, leaf
from conversations import ADDRESSES, Tap
from cryptography import x509

from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.tls.session import Session

CLIENT, SERVER = 0, 1
PORTS = (50000, 443)
MILLISECOND = 1_000_000
V1, V2 = int(QuicProtocolVersion.VERSION_1), int(QuicProtocolVersion.VERSION_2)


@dataclass(frozen=True)
class Sent:
    """One datagram. ports: of client and server. cut: bytes that the snapshot length removed."""

    side: int
    payload: bytes
    ports: tuple[int, int] = PORTS
    cut: int = 0

    def frame(self) -> bytes:
        """The Ethernet frame."""
        udp = struct.pack(">HHHH", self.ports[self.side], self.ports[1 - self.side], 8 + len(self.payload), 0)
        n_bytes = 20 + len(udp) + len(self.payload)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, n_bytes, 0, 0, 64, 17, 0, ADDRESSES[self.side], ADDRESSES[1 - self.side])
        return b"\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\x00" + ip + udp + self.payload


class Talk:
    """Two endpoints, and the datagrams between them. ports: of the client's present address. keys: the key log."""

    def __init__(
        self,
        version: int = V1,
        suites: list[CipherSuite] | None = None,
        id_length: int = 8,
        ticket: SessionTicket | None = None,
        tickets: dict[bytes, SessionTicket] | None = None,
        **more: Any,
    ) -> None:
        log = self.log = io.StringIO()
        self.sent: list[Sent] = []
        self.ports = PORTS
        self.now = 0.0
        self.tickets: list[SessionTicket] = []
        client = QuicConfiguration(
            alpn_protocols=["test"], secrets_log_file=log, server_name="quic.test", verify_mode=0,
            connection_id_length=id_length, original_version=version, supported_versions=[version], cipher_suites=suites,
            session_ticket=ticket, **more,
        )  # fmt: skip
        server = QuicConfiguration(is_client=False, alpn_protocols=["test"], supported_versions=[V1, V2], **more)
        server.certificate, server.private_key = certificate()
        known = {} if tickets is None else tickets
        self.client = QuicConnection(configuration=client, session_ticket_handler=self.tickets.append)
        self.configuration = server
        self.known = known
        self.server: QuicConnection | None = None
        self.arrived: dict[int, bytes] = {}

    def connect(self) -> "Talk":
        """Complete the handshake."""
        self.client.connect(("10.0.0.2", 443), now=self.now)
        self.carry()
        return self

    def carry(self, rounds: int = 30) -> None:
        """Carry datagrams until nobody has any."""
        for _ in range(rounds):
            moved = False
            self.now += 0.01
            for side in (CLIENT, SERVER):
                endpoint = self.client if side == CLIENT else self.server
                if endpoint is None:
                    continue
                timer = endpoint.get_timer()
                if timer is not None and timer <= self.now:
                    endpoint.handle_timer(self.now)
                for data, _ in endpoint.datagrams_to_send(self.now):
                    moved = True
                    self.sent.append(Sent(side, data, self.ports))
                    self.deliver(side, data)
            self.events()
            if not moved:
                break

    def deliver(self, side: int, data: bytes) -> None:
        """Deliver a datagram to the other endpoint."""
        if side == SERVER:
            self.client.receive_datagram(data, ("10.0.0.2", 443), now=self.now)
            return
        if self.server is None:
            self.server = QuicConnection(
                configuration=self.configuration,
                original_destination_connection_id=self.client.original_destination_connection_id,
                session_ticket_fetcher=lambda label: self.known.pop(label, None),
                session_ticket_handler=lambda ticket: self.known.update({ticket.ticket: ticket}),
            )
        self.server.receive_datagram(data, ("10.0.0.1", self.ports[0]), now=self.now)

    def events(self) -> None:
        """Collect what the server got."""
        while self.server is not None and (event := self.server.next_event()) is not None:
            if hasattr(event, "stream_id") and hasattr(event, "data"):
                self.arrived[event.stream_id] = self.arrived.get(event.stream_id, b"") + event.data
        while self.client.next_event() is not None:
            pass

    def say(self, side: int, stream: int, data: bytes, end: bool = True) -> "Talk":
        """Let a side send data in a stream."""
        endpoint = self.client if side == CLIENT else self.server
        assert endpoint is not None
        endpoint.send_stream_data(stream, data, end)
        self.carry()
        return self

    def close(self) -> "Talk":
        """Let the client close."""
        self.client.close()
        self.carry(2)
        return self

    @property
    def keys(self) -> bytes:
        """The key log."""
        return self.log.getvalue().encode()


@cache
def certificate() -> tuple[x509.Certificate, Any]:
    """A certificate, and its key."""
    return leaf(), key("leaf.test")


@dataclass(frozen=True)
class Stream:
    """What arrived of a stream: bytes of both roles, ends, and gaps."""

    data: list[bytes]
    ended: list[bool]
    gaps: list[int | None]


class Streams:
    """A reader of stream data that keeps everything."""

    def __init__(self, alpn: bytes | None) -> None:
        self.alpn = alpn
        self.streams: dict[int, Stream] = {}
        self.datagrams: list[tuple[int, bytes]] = []
        self.resets: list[tuple[str, int, int, int]] = []
        self.findings: list[Any] = []

    def of(self, stream: int) -> Stream:
        """The stream with this number."""
        return self.streams.setdefault(stream, Stream([b"", b""], [False, False], []))

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, frame: int, at: int) -> None:
        self.of(stream).data[role] += data
        self.of(stream).ended[role] = end or self.of(stream).ended[role]

    def gap_stream(self, stream: int, role: int, length: int | None, why: str | None = None) -> None:
        self.of(stream).gaps.append(length)

    def reset_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        self.resets.append(("reset", stream, role, code))

    def stop_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        self.resets.append(("stop", stream, role, code))

    def feed_datagram(self, role: int, data: bytes, frame: int, at: int) -> None:
        self.datagrams.append((role, data))

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        raise AssertionError("there are no bytes without a stream")

    def gap(self, side: int, length: int | None, why: str | None = None) -> None:
        pass

    def close(self, at: int) -> None:
        pass

    def record(self) -> list[dict[str, Any]]:
        return []


def read_talk(sent: Iterable[Sent], keys: bytes = b"", detailed: bool = False, **more: Any) -> Tap:
    """Read datagrams, a millisecond apart, with an engine; its sessions come with `Tap.close`."""
    tap = Tap.__new__(Tap)
    Tap.__init__(tap, detailed)
    keylog = None
    if keys:
        keylog = KeyLog()
        keylog.feed(keys)
        keylog.close()
    tap.engine = Engine(detailed=detailed, keylog=keylog, application=more.pop("application", Streams), **more)
    for one in sent:
        tap.feed_bytes(one.frame(), one.cut)
        tap.at += MILLISECOND
    return tap


def only(tap: Tap) -> Session:
    """The only session."""
    (session,) = tap.close()
    return session


def moved(sent: Iterable[Sent], port: int, start: int) -> list[Sent]:
    """Return the datagrams with another port of the client from the place `start` on."""
    return [replace(one, ports=(port, one.ports[1])) if number >= start else one for number, one in enumerate(sent)]
