"""Real QUIC endpoints without sockets: aioquic's client and server (RFC 9000, 9001, 9114), with their own clock and path.

A `QuicTalk` is one connection. It hands each datagram over after half a round trip, and puts it on the wire of the capture.
`lose` names datagrams that the path loses behind the point of capture, `miss` those that arrive and that the capture lacks.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, TextIO

from aioquic.buffer import Buffer
from aioquic.h3.connection import H3Connection
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted, StreamDataReceived
from aioquic.quic.packet import QuicPacketType, encode_quic_retry, encode_quic_version_negotiation, pull_quic_header
from aioquic.quic.retry import QuicRetryTokenHandler
from certificates import Identity
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from wire import SIDES, Host, Side, Wire, opposite, udp

Choose = Callable[[Side, int], bool]
"""Says of a side and of the number of its datagram, from 0, whether something happens to it."""

_NANOSECONDS = 1_000_000_000
_QUIET = 0.5
_SERVER_ADDRESS = ("198.51.100.20", 443)


def never(side: Side, number: int) -> bool:
    """Say no of every datagram."""
    return False


def always(side: Side, number: int) -> bool:
    """Say yes of every datagram."""
    return True


def configurations(identity: Identity, keys: TextIO | None, protocols: list[str], name: str) -> dict[Side, QuicConfiguration]:
    """The configurations of a client and of a server. keys: where the client writes its key log."""
    client = QuicConfiguration(alpn_protocols=protocols, is_client=True, server_name=name, secrets_log_file=keys)
    client.verify_mode = ssl.CERT_NONE
    server = QuicConfiguration(alpn_protocols=protocols, is_client=False)
    server.certificate, server.certificate_chain = identity.chain[0], list(identity.chain[1:])
    server.private_key = load_pem_private_key(identity.key_pem(), None)
    return {"client": client, "server": server}


@dataclass
class Tickets:
    """What a server keeps for resumption; `forget` makes it refuse what it issued."""

    kept: dict[bytes, Any] = field(default_factory=dict)

    def keep(self, ticket: Any) -> None:
        """Take a ticket that was issued."""
        self.kept[ticket.ticket] = ticket

    def find(self, label: bytes) -> Any:
        """The ticket with this label."""
        return self.kept.pop(label, None)

    def forget(self) -> None:
        """Drop all."""
        self.kept.clear()


class QuicTalk:
    """One connection between two aioquic endpoints, recorded on `wire` from `start` on (ns since the epoch)."""

    def __init__(
        self,
        wire: Wire,
        start: int,
        hosts: dict[Side, Host],
        port: int,
        both: dict[Side, QuicConfiguration],
        *,
        round_trip: float = 0.024,
        retry: bool = False,
        tickets: Tickets | None = None,
    ) -> None:
        self.wire, self.start, self.hosts = wire, start, hosts
        self.ports: dict[Side, int] = {"client": port, "server": _SERVER_ADDRESS[1]}
        self.now = 0.0
        self.round_trip = round_trip
        self.both = both
        self.tickets = tickets or Tickets()
        self.session_ticket: Any = None
        self.lose: Choose = never
        self.miss: Choose = never
        self.late: Choose = never
        self.n_sent: dict[Side, int] = {"client": 0, "server": 0}
        self.received: dict[Side, int] = {"client": 0, "server": 0}
        self.events: dict[Side, list[Any]] = {"client": [], "server": []}
        self.streams: dict[Side, dict[int, bytes]] = {"client": {}, "server": {}}
        self.http: dict[Side, H3Connection] = {}
        self.exchanges: list[dict[str, Any]] = []
        self.ends: dict[Side, QuicConnection] = {}
        self._retry = QuicRetryTokenHandler() if retry else None
        self._in_flight: list[tuple[float, int, Side, bytes]] = []
        self._identification: dict[Side, int] = {side: wire.random.randrange(1 << 16) for side in SIDES}
        self._n = 0
        self._early: dict[Side, list[Any]] = {}

    def connect(self) -> None:
        """Begin the connection; what is sent before `run` may be early data."""
        client = QuicConnection(configuration=self.both["client"], session_ticket_handler=self._take_ticket)
        self.ends["client"] = client
        client.connect(_SERVER_ADDRESS, self.now)

    def speak_http3(self, side: Side) -> H3Connection:
        """The HTTP/3 connection of a side."""
        if side not in self.http:
            self.http[side] = H3Connection(self.ends[side])
            for event in self._early.pop(side, []):
                self.http[side].handle_event(event)
        return self.http[side]

    def run(self) -> None:
        """Go on until nothing is under way, and no timer is near."""
        for side in list(self.ends):
            self._send(side)
        while True:
            timers = [(self.ends[side].get_timer() or 1e9, side) for side in self.ends]
            due, timed = min(timers)
            if self._in_flight and self._in_flight[0][0] <= due:
                self.now, _, side, data = heappop(self._in_flight)
                self._receive(side, data)
            elif due - self.now < _QUIET:
                self.now = max(due, self.now)
                self.ends[timed].handle_timer(self.now)
                self._send(timed)
            else:
                return

    def move(self, host: Host, port: int, *, new_id: bool = True) -> None:
        """Let the client go on from another address, with another connection ID (RFC 9000 section 9) or by a NAT."""
        self.hosts = {**self.hosts, "client": host}
        self.ports["client"] = port
        if new_id:
            self.ends["client"].change_connection_id()

    def close(self, side: Side = "client", code: int = 0x100, reason: str = "") -> None:
        """Close the connection with an application's error code."""
        self.ends[side].close(error_code=code, reason_phrase=reason)
        self._send(side)
        while self._in_flight:
            self.now, _, to, data = heappop(self._in_flight)
            self._receive(to, data)

    @property
    def completed(self) -> HandshakeCompleted:
        """What the client says of the handshake."""
        return next(event for event in self.events["client"] if isinstance(event, HandshakeCompleted))

    @property
    def failures(self) -> dict[Side, str]:
        """Why the handshake failed, by side: it never does here."""
        return {}

    @property
    def plaintext(self) -> dict[Side, int]:
        """How many bytes of streams each side sent, as the other side received them."""
        return {side: sum(map(len, self.streams[opposite(side)].values())) for side in SIDES}

    def facts(self) -> dict[str, Any]:
        """What the client states of the connection; see `endpoints.Endpoint`."""
        completed = self.completed
        schedule = self.ends["client"].tls.key_schedule
        assert schedule is not None
        return {
            "version": "TLS 1.3",
            "cipher": f"TLS_{schedule.cipher_suite.name}",
            "alpn": completed.alpn_protocol,
            "resumed": completed.session_resumed,
        }

    @property
    def terminated(self) -> ConnectionTerminated | None:
        """How the connection ended for the server."""
        return next((event for event in self.events["server"] if isinstance(event, ConnectionTerminated)), None)

    def put(self, side: Side, data: bytes) -> None:
        """Put a datagram on the wire that no endpoint sent or gets."""
        self._put(side, data)

    def _address(self) -> tuple[str, int]:
        return self.hosts["client"].address, self.ports["client"]

    def _take_ticket(self, ticket: Any) -> None:
        self.session_ticket = ticket

    def _send(self, side: Side) -> None:
        for data, _ in self.ends[side].datagrams_to_send(self.now):
            self._carry(side, data)

    def _carry(self, side: Side, data: bytes) -> None:
        number = self.n_sent[side]
        self.n_sent[side] += 1
        self.now += 0.00003
        if not self.miss(side, number):
            self._put(side, data)
        if not self.lose(side, number):
            self._n += 1
            delay = self.round_trip / 2 + (0.004 if self.late(side, number) else 0)
            heappush(self._in_flight, (self.now + delay, self._n, opposite(side), data))

    def _put(self, side: Side, data: bytes) -> None:
        self._identification[side] += 1
        other = opposite(side)
        ports = self.ports[side], self.ports[other]
        packet = udp(self.hosts[side], self.hosts[other], ports, data, self._identification[side])
        self.wire.put(self.start + int(self.now * _NANOSECONDS), packet)

    def _receive(self, side: Side, data: bytes) -> None:
        if side == "server" and "server" not in self.ends and not self._accept(data):
            return
        address = self._address() if side == "server" else _SERVER_ADDRESS
        end = self.ends[side]
        end.receive_datagram(data, address, self.now)
        while (event := end.next_event()) is not None:
            self.events[side].append(event)
            if isinstance(event, StreamDataReceived):
                self.streams[side][event.stream_id] = self.streams[side].get(event.stream_id, b"") + event.data
            if side not in self.http:
                self._early.setdefault(side, []).append(event)
            else:
                self.http[side].handle_event(event)
        self._send(side)

    def _accept(self, data: bytes) -> bool:
        """Let the server begin, or answer with Version Negotiation or Retry (RFC 9000 sections 6 and 8.1)."""
        configuration = self.both["server"]
        header = pull_quic_header(Buffer(data=data), host_cid_length=8)
        original: bytes | None = header.destination_cid
        retried: bytes | None = None
        if header.version not in configuration.supported_versions:
            answer = encode_quic_version_negotiation(
                header.destination_cid, header.source_cid, configuration.supported_versions
            )
        elif header.packet_type != QuicPacketType.INITIAL:
            return False
        elif self._retry is not None and not header.token:
            source = os.urandom(8)
            token = self._retry.create_token(
                address=self._address(),
                original_destination_connection_id=header.destination_cid,
                retry_source_connection_id=source,
                now=self.now,
            )
            answer = encode_quic_retry(header.version, source, header.source_cid, header.destination_cid, token)
        else:
            if self._retry is not None:
                original = self._retry.validate_token(
                    address=self._address(), destination_cid=header.destination_cid, token=header.token, now=self.now
                )
                retried = header.destination_cid
            self.ends["server"] = QuicConnection(
                configuration=configuration,
                original_destination_connection_id=original,
                retry_source_connection_id=retried,
                session_ticket_fetcher=self.tickets.find,
                session_ticket_handler=self.tickets.keep,
            )
            return True
        self._carry("server", answer)
        return False
