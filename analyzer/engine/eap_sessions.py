"""Finds TLS in EAP: over 802.1X (IEEE 802.1X clause 11, also in data frames of 802.11), and over RADIUS (RFC 3579).

Between supplicant and access point a conversation is known by the addresses of both (`eap_ports`). Between access point and
authentication server, one flow of UDP has the conversations of all supplicants. The server names each with a State attribute,
which the next request repeats (RFC 2865 section 5.24), and an answer has the identifier of its request.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from analyzer.engine.eap_conversation import EapConversation
from analyzer.engine.eap_ports import EapPorts
from analyzer.engine.radius_names import RadiusNames
from analyzer.flows.connection import moved
from analyzer.flows.eap import (
    ACCESS_ACCEPT,
    ACCESS_CHALLENGE,
    ACCESS_REJECT,
    ACCESS_REQUEST,
    FAILURE,
    IDENTITY,
    KEY,
    LOGOFF,
    REQUEST,
    RESPONSE,
    START,
    SUCCESS,
    Eap,
    Radius,
    read_eap,
    read_radius,
)

if TYPE_CHECKING:
    from analyzer.engine.session_table import SessionTable

MAX_CONVERSATIONS: Final = 4096
"""Conversations that are followed at one time. One takes a second or two; a switch has some hundred ports."""

MAX_BYTES: Final = 1 << 25
"""Bytes of TLS that the open conversations have together, at most: twice what so many of them usually have."""

IDLE: Final = 180 * 1_000_000_000
"""Nanoseconds after which a conversation is over. Supplicants and servers give up after 30 s (RFC 3748 section 4.3), people who
are asked for a password later. Where a pipe falls silent, MAX_PENDING_TIME is added to its time, which must not end it."""

MAX_ASKED: Final = 2 * MAX_CONVERSATIONS
"""Requests of RADIUS whose answers are waited for, and that are known when they come again."""

MAX_ENDED: Final = 256
"""Conversations of ports that have ended and whose packets are known when they come again."""

STATES: Final = 2
"""States of a conversation that are known: a request that comes again has the one before."""

PORT_CONTROL: Final = (0x888E, 0x88C7)
"""The EtherTypes of 802.1X: on the port that it opens, and through the network to the next access point."""

_EAP_PACKET = 0
_HEADER, _ADDRESS = 4, 6


class EapSessions:
    """The conversations of a run, by addresses (`EapPorts`) or a number of RADIUS. n_begun: how many had such a number."""

    __slots__ = (
        "_asked", "_by_state", "_by_station", "_dispatcher", "_ended", "_latest", "_n_bytes", "_open", "_ports", "n_begun",
    )  # fmt: skip

    def __init__(self, dispatcher: SessionTable) -> None:
        self._dispatcher = dispatcher
        self._open: OrderedDict[Any, EapConversation] = OrderedDict()
        self._ended: OrderedDict[Any, EapConversation] = OrderedDict()
        self._latest: OrderedDict[bytes, EapConversation] = OrderedDict()
        self._ports = EapPorts(self._open)
        self._by_state: dict[tuple[bytes, bytes, bytes], EapConversation] = {}
        self._by_station: dict[tuple[bytes, bytes], EapConversation] = {}
        self._asked: OrderedDict[tuple[bytes, int], _Request] = OrderedDict()
        self._n_bytes = 0
        self.n_begun = 0

    def feed_port(self, source: bytes, target: bytes, data: bytes, cut: bool, frame: int, at: int) -> None:
        """Take an 802.1X frame from one hardware address to another. data: from its version on. cut: by the capture."""
        if len(data) < _HEADER:
            return
        self._dispatcher.steps += 1
        kind, length = data[1], int.from_bytes(data[2:4], "big")
        if kind in (START, LOGOFF, KEY):
            ends = ((source, target), (target, source)) if kind == KEY else ((source, target),)
            for one in chain.from_iterable(self._ports.of_supplicant(*both) for both in ends):
                self._open[one].say(kind)
            return
        packet = read_eap(data[_HEADER : _HEADER + length]) if kind == _EAP_PACKET else None
        if packet is None or packet.n_bytes > length or (packet.missing and not cut):
            return  # who receives it throws it away too (RFC 3748 section 4.1)
        name = self._ports.name(source, target, packet)
        if name is None:
            return
        conversation = self._open.get(name) or self._ended.pop(name, None)
        if conversation is None:
            if packet.code not in (REQUEST, RESPONSE) or self._has_ended(name, packet):
                return
            conversation = self._begin(name, self._ports.key(name, target), "802.1X")
            self._ports.enter(name)
        elif name not in self._open:
            self._keep(name, conversation)
            self._ports.enter(name)
        conversation.key = self._ports.key(name, target)
        if self._feed(name, conversation, packet, frame, at):
            self._end(name, "fin")
            self._ended[name] = conversation
            self._latest[name[:_ADDRESS]] = conversation
            if len(self._ended) > MAX_ENDED:
                self._ended.popitem(last=False)
            if len(self._latest) > MAX_ENDED:
                self._latest.popitem(last=False)

    def _has_ended(self, name: bytes, packet: Eap) -> bool:
        """Return whether a packet that nobody knows by its addresses comes again: a supplicant can have sent it to a group."""
        ended = self._latest.get(name[:_ADDRESS])
        return ended is not None and packet.type != IDENTITY and ended.has_had(packet)

    def feed_radius(self, key: bytes, reverse: bytes, data: bytes, frame: int, at: int) -> None:
        """Take a UDP datagram that may be RADIUS. key: of its direction, reverse: of the other (`Packet.key`)."""
        found = read_radius(data)
        if found is None:
            return
        asks = found.code == ACCESS_REQUEST
        packet = read_eap(found.eap)
        if packet is None:
            if found.eap or found.code != ACCESS_REJECT:
                return
        elif packet.missing or asks != (packet.code == RESPONSE):
            return
        self._dispatcher.steps += 1
        asked = key if asks else reverse
        place = _place(asked)
        identifier = -1 if packet is None else packet.identifier
        mark = hash(data)
        conversation = self._asking(found, asked, identifier, mark) if asks else self._answered(found, asked, place, mark)
        if conversation is None:
            return
        name = conversation.radius.states[0]
        if found.code not in (ACCESS_ACCEPT, ACCESS_REJECT):
            if packet is not None and packet.code in (REQUEST, RESPONSE):
                self._feed(name, conversation, packet, frame, at)
            return
        code = FAILURE if packet is None else packet.code
        if packet is None or conversation.take_end(code, packet.identifier, frame, at):
            agreed = {(ACCESS_ACCEPT, SUCCESS): "success", (ACCESS_REJECT, FAILURE): "failure"}
            self._n_bytes -= conversation.n_bytes
            conversation.finish(agreed.get((found.code, code)), frame, at)
            self._end(name, "fin")

    def tick(self, at: int) -> None:
        """End the conversations that have been idle for too long at time `at`."""
        while self._open:
            name, conversation = next(iter(self._open.items()))
            if at - conversation.at <= IDLE:
                return
            self._end(name, "idle")

    def set_clock(self, before: int, after: int) -> None:
        """Move the times of all conversations: see `Connections.set_clock`."""
        for conversation in self._open.values():
            conversation.at = moved(conversation.at, before, after)

    def close(self) -> None:
        """End all conversations, at the end of the captures."""
        for name in list(self._open):
            self._dispatcher.steps += 1
            self._end(name, "end")

    def _asking(self, found: Radius, asked: bytes, identifier: int, mark: int) -> EapConversation | None:
        """Return the conversation of a request; None for one that came again.

        identifier: of the EAP packet in it, by which a conversation goes on whose last state the capture lacks. mark: a number
        for its bytes.
        """
        known = self._asked.get((asked, found.identifier))
        if known is not None and known.mark == mark:
            return None
        place = _place(asked)
        conversation = self._by_state.get((place, found.state, found.station)) if found.state else None
        if conversation is None and found.state and found.station:
            conversation = self._by_station.get((place, found.station))
            if conversation is not None and not conversation.radius.go_on(found, conversation.answered(), identifier):
                conversation = None
        if conversation is None:
            self.n_begun += 1
            conversation = self._begin(self.n_begun, asked, "RADIUS")
            conversation.radius = RadiusNames(self.n_begun)
            self._by_station[place, found.station] = conversation
        conversation.radius.take_request(found)
        self._asked[asked, found.identifier] = _Request(conversation, mark)
        self._asked.move_to_end((asked, found.identifier))
        if len(self._asked) > MAX_ASKED:
            self._asked.popitem(last=False)
        return conversation

    def _answered(self, found: Radius, asked: bytes, place: bytes, mark: int) -> EapConversation | None:
        """Return the conversation of an answer, whose state the next request will have; None if nobody knows it.

        A request has one answer. Another one, which can come again too, belongs to a request that is missing.
        """
        request = self._asked.get((asked, found.identifier))
        if request is None or request.answer not in (None, mark) or request.conversation.radius.states[0] not in self._open:
            return None
        request.answer = mark
        conversation, names = request.conversation, request.conversation.radius
        if found.state and found.code == ACCESS_CHALLENGE:
            names.take_challenge(found.state)
            for state in dict.fromkeys(((place, found.state, names.station), (place, found.state, b""))):
                if state not in self._by_state:
                    self._by_state[state] = conversation
                    names.states.append(state)
            while len(names.states) > 2 * STATES + 1:
                self._by_state.pop(names.states.pop(1), None)
        return conversation

    def _begin(self, name: Any, key: bytes, over: str) -> EapConversation:
        conversation = EapConversation(self._dispatcher, key, over)
        self._keep(name, conversation)
        return conversation

    def _keep(self, name: Any, conversation: EapConversation) -> None:
        if len(self._open) >= MAX_CONVERSATIONS:
            self._end(next(iter(self._open)), "evicted")
        self._open[name] = conversation

    def _feed(self, name: Any, conversation: EapConversation, packet: Any, frame: int, at: int) -> bool:
        """Pass a packet to its conversation. Return whether that has ended."""
        n_bytes = conversation.n_bytes
        ended = conversation.feed(packet, frame, at)
        self._n_bytes += conversation.n_bytes - n_bytes
        self._open.move_to_end(name)
        while self._n_bytes > MAX_BYTES:
            self._end(next(iter(self._open)), "evicted")
        self.tick(at)
        return ended and name in self._open

    def _end(self, name: Any, reason: str) -> None:
        conversation = self._open.pop(name)
        self._n_bytes -= conversation.n_bytes
        conversation.close(reason)
        names = conversation.radius
        if names.states:
            for state in names.states[1:]:
                self._by_state.pop(state, None)
            station = _place(conversation.key), names.station
            if self._by_station.get(station) is conversation:
                del self._by_station[station]
        else:
            self._ports.forget(name)


class _Request:
    """A request of RADIUS. mark: a number for its bytes; answer: one for those of its answer, None before it."""

    __slots__ = ("answer", "conversation", "mark")

    def __init__(self, conversation: EapConversation, mark: int) -> None:
        self.conversation = conversation
        self.mark = mark
        self.answer: int | None = None


def _place(asked: bytes) -> bytes:
    """Return the addresses of a request and the port of the server, which the requests of a conversation have in common."""
    half = (len(asked) - 4) >> 1
    return asked[: 2 * half] + asked[2 * half + 2 :]
