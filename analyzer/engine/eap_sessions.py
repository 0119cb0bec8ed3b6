"""Finds TLS in EAP: over 802.1X (IEEE 802.1X clause 11, also in data frames of 802.11), and over RADIUS (RFC 3579).

Between supplicant and access point a conversation is known by the address of the supplicant. Over a wire, either side may
send to the group address of bridges instead of the other's own; then the one that spoke last is meant. Between access point
and authentication server, one flow of UDP has the conversations of all supplicants. The server names each with a State
attribute, which the next request repeats (RFC 2865 section 5.24), and an answer has the identifier of its request.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from analyzer.engine.eap_conversation import EapConversation
from analyzer.flows.eap import ACCESS_REQUEST, REQUEST, RESPONSE, read_eap, read_radius
from analyzer.packet.packet import Packet

if TYPE_CHECKING:
    from analyzer.engine.session_table import SessionTable

MAX_CONVERSATIONS: Final = 4096
"""Conversations that are followed at one time. One takes a second or two; a switch has some hundred ports."""

IDLE: Final = 60 * 1_000_000_000
"""Nanoseconds after which a conversation is over: supplicants and servers give up after half of that (RFC 3748 section 4.3)."""

MAX_ASKED: Final = 2 * MAX_CONVERSATIONS
"""Requests of RADIUS whose answers are waited for."""

STATES: Final = 2
"""States of a conversation that are known: a request that comes again has the one before."""

PORT_CONTROL: Final = (0x888E, 0x88C7)
"""The EtherTypes of 802.1X: on the port that it opens, and through the network to the next access point."""

_EAP_PACKET, _START, _LOGOFF = 0, 1, 2
_HEADER = 4
_NO_PORTS = bytes(4)


class EapSessions:
    """The conversations of a run, by the supplicant's address or a number of RADIUS. n_begun: how many had such a number."""

    __slots__ = ("_asked", "_by_state", "_dispatcher", "_group", "_open", "n_begun")

    def __init__(self, dispatcher: SessionTable) -> None:
        self._dispatcher = dispatcher
        self._open: OrderedDict[Any, EapConversation] = OrderedDict()
        self._by_state: dict[tuple[bytes, bytes], EapConversation] = {}
        self._asked: OrderedDict[tuple[bytes, int], EapConversation] = OrderedDict()
        self._group = b""
        self.n_begun = 0

    def feed_port(self, source: bytes, target: bytes, data: bytes, frame: int, at: int) -> None:
        """Take an 802.1X frame from one hardware address to another. data: from its version on; it can be padded or cut."""
        if len(data) < _HEADER:
            return
        self._dispatcher.steps += 1
        kind, length = data[1], int.from_bytes(data[2:4], "big")
        if kind in (_START, _LOGOFF):
            known = self._open.pop(source, None)
            if known is not None:
                known.close("closed")
            return
        packet = read_eap(data[_HEADER : _HEADER + length]) if kind == _EAP_PACKET else None
        if packet is None:
            return
        grouped = bool(target[0] & 1)
        if packet.code == RESPONSE:
            supplicant, server = source, target
            self._group = source if grouped else self._group
        else:
            supplicant, server = self._group if grouped else target, source
        conversation = self._open.get(supplicant)
        if conversation is None:
            if packet.code not in (REQUEST, RESPONSE) or not supplicant:
                return
            conversation = self._begin(supplicant, supplicant + server + _NO_PORTS, "802.1X")
        if server[0] & 1 == 0:
            conversation.key = supplicant + server + _NO_PORTS
        self._feed(supplicant, conversation, packet, frame, at)

    def feed_radius(self, key: bytes, reverse: bytes, data: bytes, frame: int, at: int) -> None:
        """Take a UDP datagram that may be RADIUS. key: of its direction, reverse: of the other (`Packet.key`)."""
        found = read_radius(data)
        packet = read_eap(found.eap) if found is not None else None
        if found is None or packet is None:
            return
        self._dispatcher.steps += 1
        asks = found.code == ACCESS_REQUEST
        asked = key if asks else reverse
        half = (len(key) - 4) >> 1
        place = asked[: 2 * half] + asked[2 * half + 2 :]
        if asks:
            conversation = self._by_state.get((place, found.state)) if found.state else None
            if conversation is None:
                self.n_begun += 1
                conversation = self._begin(self.n_begun, asked, "RADIUS")
                conversation.states = [self.n_begun]
            conversation.station = conversation.station or found.station
            self._asked[asked, found.identifier] = conversation
            if len(self._asked) > MAX_ASKED:
                self._asked.popitem(last=False)
        else:
            known = self._asked.get((asked, found.identifier))
            if known is None or known.states[0] not in self._open:
                return
            conversation = known
            if found.state and (place, found.state) not in self._by_state:
                self._by_state[place, found.state] = conversation
                conversation.states.append((place, found.state))
                if len(conversation.states) > STATES + 1:
                    self._by_state.pop(conversation.states.pop(1), None)
        self._feed(conversation.states[0], conversation, packet, frame, at)

    def tick(self, at: int) -> None:
        """End the conversations that have been idle for too long at time `at`."""
        while self._open:
            name, conversation = next(iter(self._open.items()))
            if at - conversation.at <= IDLE:
                return
            self._end(name, "idle")

    def close(self) -> None:
        """End all conversations, at the end of the captures."""
        for name in list(self._open):
            self._dispatcher.steps += 1
            self._end(name, "end")

    def _begin(self, name: Any, key: bytes, over: str) -> EapConversation:
        if len(self._open) >= MAX_CONVERSATIONS:
            self._end(next(iter(self._open)), "evicted")
        conversation = self._open[name] = EapConversation(self._dispatcher, key, over)
        return conversation

    def _feed(self, name: Any, conversation: EapConversation, packet: Any, frame: int, at: int) -> None:
        conversation.feed(packet, frame, at)
        self._open.move_to_end(name)
        if packet.code not in (REQUEST, RESPONSE):
            self._end(name, "fin")
        self.tick(at)

    def _end(self, name: Any, reason: str) -> None:
        conversation = self._open.pop(name)
        conversation.close(reason)
        for state in conversation.states[1:]:
            self._by_state.pop(state, None)


def hardware_addresses(packet: Packet, link_type: int) -> tuple[bytes, bytes] | None:
    """Return source and destination of the frame that a packet is in; None where its link has none that are read here.

    link_type: Ethernet (1), 802.11 (105), or that with radiotap (127).
    """
    data, at = packet.data, packet.link
    if link_type == 1:
        return (data[at + 6 : at + 12], data[at : at + 6]) if packet.payload - at >= 14 else None
    if link_type == 127:
        at += int.from_bytes(data[at + 2 : at + 4], "little")
    elif link_type != 105:
        return None
    if packet.payload - at < 24:
        return None
    first, second, third = (data[at + n : at + n + 6] for n in (4, 10, 16))
    to_system, from_system = data[at + 1] & 1, data[at + 1] & 2
    if to_system and from_system:
        return data[at + 24 : at + 30], third
    if to_system:
        return second, third
    return (third, first) if from_system else (second, first)
