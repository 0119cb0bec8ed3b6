"""Follows one EAP conversation, and gives the TLS records in it to a session.

The two sides take turns (RFC 3748 section 4): a request of the server, a response of the supplicant with the same identifier. A
flight of TLS that is too long for one packet comes in fragments, each of which the other side acknowledges with an empty packet
(RFC 5216 section 2.1.5). So the TLS bytes of each side are a stream, in which a packet that came again is known by its
identifier, and a lost fragment by the length that the first one says. The supplicant is the client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from analyzer.analysis.preamble import entry, text
from analyzer.flows.carrier import EAP, Carrier
from analyzer.flows.eap import FAILURE, IDENTITY, METHODS, RESPONSE, SUCCESS, Eap
from analyzer.flows.flow import Flow
from analyzer.tls.messages.numbers import CLIENT_HELLO
from analyzer.tls.record.content_types import HANDSHAKE, HEADER
from analyzer.tls.record.record_reader import RecordReader

if TYPE_CHECKING:
    from analyzer.engine.session_table import SessionTable

LARGEST_FLIGHT: Final = 1 << 20
"""Bytes of a flight that are believed to be missing, at most. Chains of certificates have some ten thousand."""

_SUPPLICANT, _SERVER = 0, 1


class _Side:
    """What one side sends. last: the identifier of its last packet, -1 before one. offset: its TLS bytes so far.

    total: length of its flight, -1 if unknown; got: how much of it came; more: whether more fragments of it must come.
    """

    __slots__ = ("got", "last", "more", "offset", "size", "total")

    def __init__(self) -> None:
        self.last = -1
        self.offset = 0
        self.total = -1
        self.got = 0
        self.size = 0
        self.more = False


class EapConversation:
    """One conversation. key: addresses and ports from the supplicant's end to the server's (`Packet.key`).

    over: what carries it. station: how the access point names the supplicant. at: the time of its last packet. states: what
    names it in RADIUS, the latest last. held: bytes that its session keeps.
    """

    __slots__ = (
        "_dispatcher", "_end", "_identity", "_n_before", "_readers", "_session", "_shard", "_sides", "_sink", "_start",
        "_started", "at", "held", "key", "over", "states", "station",
    )  # fmt: skip

    def __init__(self, dispatcher: SessionTable, key: bytes, over: str) -> None:
        self._dispatcher = dispatcher
        self.key = key
        self.over = over
        self.station = b""
        self.states: list[Any] = []
        self.at = 0
        self.held = 0
        self._identity: bytes | None = None
        self._begin()

    def _begin(self) -> None:
        """Begin a conversation, or another one behind one that has ended."""
        self._sides = (_Side(), _Side())
        self._n_before = [0, 0]
        self._started = False
        self._start: tuple[int, int] | None = None
        self._end = (0, 0)
        self._session: Any = None
        self._sink: Any = None
        self._readers: tuple[RecordReader, RecordReader] | None = None
        self._shard = -1

    def feed(self, packet: Eap, frame: int, at: int) -> None:
        """Take the next packet."""
        self.at = at
        if packet.code in (SUCCESS, FAILURE):
            self._end = (frame, at)
            if self._session is not None:
                details = self._session.flow.carrier.before[0]["details"]
                details["result"] = "success" if packet.code == SUCCESS else "failure"
            self.close("fin")
            return
        role = _SUPPLICANT if packet.code == RESPONSE else _SERVER
        side = self._sides[role]
        if packet.identifier == side.last and not (packet.start and not self._started):
            return
        if packet.type == IDENTITY or packet.start:
            if self._shard >= 0:
                self.close("closed")
                side = self._sides[role]
            if packet.type == IDENTITY and packet.code == RESPONSE:
                self._identity = packet.data
        self._start = self._start or (frame, at)
        self._started = self._started or packet.start
        jump = (packet.identifier - side.last) & 0xFF if side.last >= 0 else 1
        side.last = packet.identifier
        if self._shard < 0:
            self._n_before[role] += packet.n_bytes - len(packet.data)
        self._end = (frame, at)
        if packet.type in METHODS and (packet.data or packet.missing):
            self._take(role, packet, jump, frame, at)

    def close(self, reason: str) -> None:
        """End the session, if there is one. reason: see `Flow.closed`. Another one can follow."""
        frame, at = self._end
        if self._session is not None and self._readers is not None:
            self._session.flow.closed = reason
            for role, reader in enumerate(self._readers):
                reader.finish(frame, at)
                self._sink.end_role(role, frame, at)
            if self._sink.finish(frame, at):
                self._dispatcher.end(self._session)
        self._hold(0)
        self._begin()

    def _take(self, role: int, packet: Eap, jump: int, frame: int, at: int) -> None:
        """Take TLS bytes of a role. jump: how far the identifier is from that of its packet before."""
        side = self._sides[role]
        data = packet.data
        if self._shard < 0:
            self._open(packet, role, frame, at)
        if not side.more or (packet.total >= 0 and side.total >= 0 and packet.total != side.total):
            self._lose_rest(role, frame, at)
            side.total, side.got = packet.total, 0
        elif jump > 1:  # whole fragments are missing; all of one flight but the last are equally long
            known = side.total - side.got - len(data) - packet.missing if side.total >= 0 else LARGEST_FLIGHT
            self._lose(role, min((jump - 1) * side.size, known), frame, at)
        if self._readers is not None and data:
            self._readers[role].feed(data, 0, len(data), side.offset, frame, at)
        side.offset += len(data)
        side.got += len(data)
        side.size = len(data) + packet.missing
        side.more = packet.more
        self._lose(role, packet.missing, frame, at)
        if not side.more:
            self._lose_rest(role, frame, at)
        if self._sink is not None:
            self._hold(self._sink.kept)

    def _lose_rest(self, role: int, frame: int, at: int) -> None:
        """Note that the flight of a role has ended. What its length says beyond what came is missing."""
        side = self._sides[role]
        if side.total >= 0:
            self._lose(role, side.total - side.got, frame, at)
        side.total, side.got, side.more = -1, 0, False

    def _lose(self, role: int, length: int, frame: int, at: int) -> None:
        """Note that TLS bytes of a role are missing."""
        side = self._sides[role]
        length = min(length, LARGEST_FLIGHT)
        if length <= 0:
            return
        if self._readers is not None:
            self._readers[role].gap(side.offset, length, frame, at)
        side.offset += length
        side.got += length

    def _open(self, packet: Eap, role: int, frame: int, at: int) -> None:
        """Begin the session."""
        data, dispatcher = packet.data, self._dispatcher
        hello = role == _SUPPLICANT and len(data) > HEADER and data[0] == HANDSHAKE and data[HEADER] == CLIENT_HELLO
        first, start = self._start or (frame, at)
        flow = Flow(0, self.key, first, start, not hello)
        flow.late = not self._started
        flow.carrier = Carrier(EAP)
        version = {"method_version": packet.version} if packet.version >= 0 else {}
        found = entry("eap", details={"method": METHODS[packet.type], **version, "over": self.over})
        found["user"] = None if self._identity is None else text(self._identity)
        found["client_name"] = text(self.station) if self.station else None
        found["bytes"] = {"client": self._n_before[_SUPPLICANT], "server": self._n_before[_SERVER]}
        flow.carrier.before.append(found)
        self._shard = dispatcher.assign()
        if self._shard != dispatcher.shard:
            dispatcher.count += 1
            return
        self._session = dispatcher.begin(flow)
        self._sink = dispatcher.queue(self._session)
        self._readers = RecordReader(self._sink, 0), RecordReader(self._sink, 1)
        if not hello:
            for reader in self._readers:
                reader.searching = True

    def _hold(self, n_bytes: int) -> None:
        self._dispatcher.held += n_bytes - self.held
        self.held = n_bytes
