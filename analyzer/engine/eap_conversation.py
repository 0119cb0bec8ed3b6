"""Follows one EAP conversation, and gives the TLS records in it to a session.

The two sides take turns (RFC 3748 section 4): a request of the server, a response of the supplicant with the same identifier. A
flight of TLS that is too long for one packet comes in fragments, each of which the other side acknowledges with an empty packet
(RFC 5216 section 2.1.5). So the TLS bytes of each side are a stream, in which a packet that came again is known by its
identifier, and what is lost by the identifiers and the lengths of flights (`eap_side`). The supplicant is the client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from analyzer.analysis.preamble import entry, text
from analyzer.engine.eap_copies import EapCopies
from analyzer.engine.eap_plaintext import RANDOM, RANDOM_END, contradicts, is_hello_of_another, note_plaintext, random_of
from analyzer.engine.eap_side import NO_NUMBER, EapSide
from analyzer.engine.radius_names import RadiusNames
from analyzer.flows.carrier import EAP, Carrier
from analyzer.flows.eap import FAILURE, IDENTITY, LOGOFF, METHODS, RESPONSE, SUCCESS, Eap
from analyzer.flows.flow import Flow
from analyzer.tls.messages.numbers import CLIENT_HELLO
from analyzer.tls.record.content_types import HANDSHAKE, HEADER
from analyzer.tls.record.record_reader import RecordReader

if TYPE_CHECKING:
    from analyzer.engine.session_table import SessionTable

LARGEST_FLIGHT: Final = 1 << 20
"""Bytes of a flight that are believed to be missing, at most. Chains of certificates have some ten thousand."""

LONGEST_PAUSE: Final = 60 * 1_000_000_000
"""Nanoseconds between two packets behind which a conversation is another one, if packets between them are missing: a server has
given up by then, after some requests that come again (RFC 3748 section 4.3)."""

LONGEST_IDENTITY: Final = 1020
"""Bytes of a name that are kept: characters of UTF-8 as many as are shown of it."""

_SUPPLICANT, _SERVER = 0, 1
_HELLO = (bytes([CLIENT_HELLO]), b"")  # in the record of a ClientHello, or in its first bytes
_AHEAD: Final = 2
"""How far the identifier of the end may be from that of the last response: it should be the same, and some servers count on."""


class EapConversation:
    """One conversation. key: addresses and ports from the supplicant's end to the server's (`Packet.key`).

    over: what carries it. radius: its names there. at: the time of its last packet. held: bytes that its session keeps.
    n_bytes: bytes of TLS of its open session.
    """

    __slots__ = (
        "_copies", "_dispatcher", "_end", "_hello", "_identity", "_method", "_readers", "_said", "_session", "_shard", "_sides",
        "_sink", "_start", "_started", "at", "held", "key", "n_bytes", "over", "radius",
    )  # fmt: skip

    def __init__(self, dispatcher: SessionTable, key: bytes, over: str) -> None:
        self._dispatcher = dispatcher
        self.key = key
        self.over = over
        self.radius = RadiusNames()
        self.at = 0
        self.held = 0
        self._identity: bytes | None = None
        self._copies = EapCopies()
        self._begin()

    def _begin(self) -> None:
        """Begin a conversation, or another one behind one that has ended."""
        self._sides = (EapSide(), EapSide())
        self._started = False
        self._said = 0
        self._method = 0
        self._start: tuple[int, int] | None = None
        self._end = (0, 0)
        self._session: Any = None
        self._sink: Any = None
        self._readers: tuple[RecordReader, RecordReader] | None = None
        self._shard = -1
        self._hello: tuple[bytes, int] | None = None
        self.n_bytes = 0

    def asked(self) -> int:
        """Return the identifier of the server's last packet, NO_NUMBER before one."""
        return self._sides[_SERVER].last

    def answered(self) -> int:
        """Return the identifier of the supplicant's last packet, NO_NUMBER before one."""
        return self._sides[_SUPPLICANT].last

    def feed(self, packet: Eap, frame: int, at: int) -> bool:
        """Take the next packet. Return whether it ends the conversation."""
        if packet.code in (SUCCESS, FAILURE):
            if not self.take_end(packet.code, packet.identifier, frame, at):
                self._cut()
                return False
            self.finish("success" if packet.code == SUCCESS else "failure", frame, at)
            return True
        role = _SUPPLICANT if packet.code == RESPONSE else _SERVER
        side = self._sides[role]
        begins = packet.type == IDENTITY or packet.start
        mark = hash(packet)
        if begins and self._start is None:
            self._copies.begin()
        first = packet.start and not self._started and self._shard < 0
        if self._copies.knows(mark) or (packet.identifier == side.last and not first):
            return False
        if packet.type != IDENTITY and side.is_late(packet.identifier):
            return False
        if not begins and self._is_earlier(packet.identifier, mark):
            return False
        self._copies.keep(mark)
        if self._shard >= 0 and not begins:
            strange, self._copies.strange = self._copies.strange, None
            if self._is_strange(role, packet):
                if strange is None:
                    self._copies.strange = packet, frame, at
                    return False
                self._cut()
                self.close("closed")
                self._identity = None
                self._accept(*strange)
        self._accept(packet, frame, at)
        return False

    def _accept(self, packet: Eap, frame: int, at: int) -> None:
        """Take a packet that has not come before."""
        role = _SUPPLICANT if packet.code == RESPONSE else _SERVER
        side, other = self._sides[role], self._sides[1 - role]
        begins = packet.type == IDENTITY or packet.start
        random = random_of(role, packet)
        another = self._shard >= 0 and not begins and self._is_of_another(role, packet, random, at)
        if another or (begins and self._lacks_beginning(side, packet)):
            self._cut()
        self._said = 0
        self.at = at
        if (begins or another) and self._shard >= 0:
            if another or side.distance(packet.identifier) != 1:
                self._identity = None  # of the one before: its request is missing
            self.close("closed")
            side, other = self._sides[role], self._sides[1 - role]
        side.random = random or side.random
        if packet.type == IDENTITY:
            self._identity = packet.data[:LONGEST_IDENTITY] if packet.code == RESPONSE else None
        self._start = self._start or (frame, at)
        self._started = self._started or packet.start
        lost = side.lacks(packet.identifier)
        side.go_on(packet.identifier)
        if self._shard < 0:
            side.n_before += packet.n_bytes - len(packet.data)
        self._end = (frame, at)
        if packet.type not in METHODS:
            return
        if packet.data or packet.missing:
            self._take(role, packet, lost, frame, at)
        elif lost:
            self._lose_rest(side, role, frame, at)
        if packet.more:
            other.owe(packet.identifier + (role == _SUPPLICANT))

    def _cut(self) -> None:
        """Note that the capture lacks the end of the session, or somebody else sent a packet of another conversation."""
        if self._session is not None:
            self._session.flow.carrier.cut = True

    def _is_strange(self, role: int, packet: Eap) -> bool:
        """Return whether a packet that does not begin a conversation has another method, or an identifier without a place.

        If the next packet goes on as before, somebody else sent it. If that is strange too, another conversation goes on, whose
        beginning is missing. Identifiers tell only where they count: they are far away then, or come again.
        """
        side, other, number = self._sides[role], self._sides[1 - role], packet.identifier
        if packet.type in METHODS and packet.type != self._method:
            return True
        if is_hello_of_another(side, random_of(role, packet)) or not (side.counts() or other.counts()):
            return False
        far = all(one.is_far(number) for one in self._sides if one.last != NO_NUMBER)
        return far or side.goes_back(number, self._started)

    def _is_of_another(self, role: int, packet: Eap, random: bytes, at: int) -> bool:
        """Return whether a packet that does not begin a conversation is surely of another one, whose beginning is missing.

        That is so if it has the hello of another session, or is behind missing packets where identifiers count, and other
        things say that a conversation has ended.
        """
        side, other, number = self._sides[role], self._sides[1 - role], packet.identifier
        if is_hello_of_another(side, random):
            return True
        if not (side.counts() or other.counts()):
            return False
        lost = bool(side.lacks(number) or other.lacks(number))
        if (lost or side.lossy or other.lossy) and contradicts(side, role, packet):
            return True
        if not lost:
            return False
        if self._said or at - self.at > LONGEST_PAUSE:
            return True
        answers = side.offset == 0 and role == _SERVER and random and not other.more  # a ServerHello answers the last hello
        return bool(answers) and other.offset > 0 and other.distance(number) != 1

    def _lacks_beginning(self, side: EapSide, packet: Eap) -> bool:
        """Return whether packets are missing before one with which a conversation begins: a server asks for a name first.

        side: the one that sent it.
        """
        return packet.code == RESPONSE or (packet.type != IDENTITY and side.distance(packet.identifier) != 1)

    def has_had(self, packet: Eap) -> bool:
        """Return whether it has had that packet already."""
        return self._copies.knows(hash(packet))

    def _is_earlier(self, identifier: int, mark: int) -> bool:
        """Return whether a packet of the conversation before this one comes again, and has no place in this one."""
        return self._copies.was_earlier(mark) and all(
            one.distance(identifier) > 1 for one in self._sides if one.last != NO_NUMBER
        )

    def say(self, kind: int) -> None:
        """Note that one of both said LOGOFF, or what belongs before or behind a conversation, START or KEY.

        Anybody can say that in its name, so nothing ends if it goes on.
        """
        self._said = kind

    def close(self, reason: str) -> None:
        """End the session, if there is one. reason: see `Flow.closed`. Another one can follow."""
        if self._said == LOGOFF and reason in ("idle", "end"):
            reason = "closed"
        frame, at = self._end
        twin = -1 if self._hello is None else self._dispatcher.opened.leave(*self._hello)
        if self._session is not None and self._readers is not None:
            flow = self._session.flow
            flow.closed = reason
            if reason != "fin":
                flow.carrier.silent = self.asked() != self.answered()
            if twin >= 0:
                detail = (
                    f"the ClientHello of session {twin} has the same random: the capture may have this conversation twice, "
                    "such as over 802.1X and over RADIUS, or before and behind a proxy"
                )
                self._session.log.add_finding("twin_session", "info", detail, flow.first_frame)
            for role, reader in enumerate(self._readers):
                reader.finish(frame, at)
                self._sink.end_role(role, frame, at)
            if self._sink.finish(frame, at):
                self._dispatcher.end(self._session)
        self._hold(0)
        self._begin()
        strange, self._copies.strange = self._copies.strange, None
        if strange is not None:  # nothing tells whose it was
            self._identity = None
            self._accept(*strange)
            self.close(reason)

    def take_end(self, code: int, identifier: int, frame: int, at: int) -> bool:
        """Take success or failure, the code. Returns whether it belongs here; else the supplicant ignores it too.

        It has the identifier of the last response, and of the request before that (RFC 3748 section 4.2). What of these is not
        there is missing.
        """
        distances = [side.distance(identifier) for side in self._sides if side.last != NO_NUMBER]
        if not distances or min(distances) > _AHEAD:
            return False
        supplicant, server = self._sides
        if code == FAILURE and server.last == identifier and supplicant.last != identifier:  # it can have had no answer
            if self._session is not None:
                self._session.flow.carrier.silent = True
            return True
        for role, side in enumerate(self._sides):
            if min(distances) == 0 and side.last != NO_NUMBER and side.lacks((identifier + 1) % 256):
                self._lose_rest(side, role, frame, at)
        return True

    def finish(self, result: str | None, frame: int, at: int) -> None:
        """End with a result, `success` or `failure`, None if it is not known."""
        self.at = at
        self._end = (frame, at)
        if self._session is not None and result is not None:
            self._session.flow.carrier.before[0]["details"]["result"] = result
        self.close("fin")
        self._identity = None

    def _take(self, role: int, packet: Eap, lost: list[int], frame: int, at: int) -> None:
        """Take TLS bytes of a role. lost: identifiers of its packets that may be missing before this one."""
        side = self._sides[role]
        data = packet.data
        if self._shard < 0:
            self._open(packet, role, frame, at)
        other, before = self._sides[1 - role], (packet.identifier - (role == _SERVER)) % 256
        if other.more and other.lacks((before + 1) % 256):  # who has not sent all of its flight yet would not be answered
            self._lose_rest(other, 1 - role, frame, at)
            other.pass_over(before)
        another = packet.total >= 0 and side.total >= 0 and packet.total != side.total
        n_bytes = len(data) + packet.missing
        if not side.more or lost:
            note_plaintext(self._sides, role, packet)
        lost_size = side.lost_size(len(lost), n_bytes, packet.more) if side.more and not another else -1
        if lost_size >= 0:
            self._lose(side, role, len(lost) * lost_size, frame, at)
            for number in lost:
                other.owe(number + (role == _SUPPLICANT))
        else:
            if lost:
                self._lose_rest(side, role, frame, at)
            if lost or another or not side.more:
                side.begin_flight(packet.total)
        if self._readers is not None and data:
            self._readers[role].feed(data, 0, len(data), side.offset, frame, at)
        side.offset += len(data)
        side.got += len(data)
        side.size, side.says_length = n_bytes, packet.total >= 0
        side.more = packet.more
        self.n_bytes += len(data)
        self._lose(side, role, packet.missing, frame, at)
        if not side.more:
            side.begin_flight(-1)
        if self._sink is not None:
            self._hold(self._sink.kept)

    def _lose_rest(self, side: EapSide, role: int, frame: int, at: int) -> None:
        """Note that packets of a role are missing, perhaps more than the rest of its flight: nobody knows how much."""
        if self._readers is not None:
            self._readers[role].miss(side.offset, frame, at)
        side.lossy = self._shard >= 0
        side.begin_flight(-1)

    def _lose(self, side: EapSide, role: int, length: int, frame: int, at: int) -> None:
        """Note that TLS bytes of a role are missing."""
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
        hello = (
            role == _SUPPLICANT
            and data[:1] == bytes([HANDSHAKE])
            and data[1:2] in b"\3"
            and data[HEADER : HEADER + 1] in _HELLO
        )
        hello = hello and (self._started or len(data) > HEADER)
        first, start = self._start or (frame, at)
        flow = Flow(0, self.key, first, start, not hello)
        flow.late = not (self._started or hello)
        flow.carrier = Carrier(EAP)
        version = {"method_version": packet.version} if packet.version >= 0 else {}
        found = entry("eap", details={"method": METHODS[packet.type], **version, "over": self.over})
        if hello:
            self._sides[_SERVER].pass_over(packet.identifier)  # what it sent so far is no TLS
        found["user"] = None if self._identity is None else text(self._identity)
        found["client_name"] = text(self.radius.station) if self.radius.station else None
        found["bytes"] = {"client": self._sides[_SUPPLICANT].n_before, "server": self._sides[_SERVER].n_before}
        flow.carrier.before.append(found)
        self._method = packet.type
        self._shard = dispatcher.assign()
        if hello and len(data) >= RANDOM_END:
            self._hello = data[RANDOM:RANDOM_END], dispatcher.opened.number(dispatcher.count)
            dispatcher.opened.enter(*self._hello)
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
