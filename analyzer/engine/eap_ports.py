"""Names the conversations of EAP over 802.1X: to which of them a frame belongs, by the hardware addresses of its two ends.

Over a wire, either side may send to a group address of bridges instead of the other's own. Then the identifiers tell: a
response has that of the request, and the next request has the one after it. A frame of another authenticator belongs to another
conversation, so nobody else can end one or put bytes into it who has not taken the address of one of its ends.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Final

from analyzer.engine.eap_conversation import EapConversation
from analyzer.flows.eap import IDENTITY, REQUEST, RESPONSE, Eap

MAX_SERVERS: Final = 4
"""Conversations of one supplicant among which a frame to a group can choose."""

MAX_GROUPED: Final = 8
"""Supplicants who sent to a group last, to whom requests to a group can belong."""

_LENGTH = 6
_NOBODY = bytes(_LENGTH)  # in a name, the authenticator of a supplicant that has only sent to a group
_NO_PORTS = bytes(4)


class EapPorts:
    """Finds names: the address of a supplicant, and that of its authenticator. conversations: those that are open, by name."""

    __slots__ = ("_conversations", "_grouped", "_names")

    def __init__(self, conversations: MutableMapping[bytes, EapConversation]) -> None:
        self._conversations = conversations
        self._names: dict[bytes, list[bytes]] = {}
        self._grouped: list[bytes] = []

    def name(self, source: bytes, target: bytes, packet: Eap) -> bytes | None:
        """Return the name of the conversation to which a packet belongs, which can be a new one; None if nobody knows it."""
        grouped = bool(target[0] & 1)
        if packet.code == RESPONSE:
            if not grouped:
                return self._known(source, target)
            if source in self._grouped:
                self._grouped.remove(source)
            self._grouped = [*self._grouped[1 - MAX_GROUPED :], source]
            return self._answering(source, packet.identifier)
        if not grouped:
            return self._known(target, source)
        if packet.code == REQUEST and packet.type == IDENTITY:
            return None  # a port without a supplicant repeats this, and who hears it answers for itself
        return self._asking(source, packet.identifier)

    def key(self, name: bytes, target: bytes) -> bytes:
        """Return the addresses of a conversation as a key. target: of its last frame, a group while it has no authenticator."""
        return (name[:_LENGTH] + target if name[_LENGTH:] == _NOBODY else name) + _NO_PORTS

    def of_supplicant(self, supplicant: bytes, target: bytes) -> list[bytes]:
        """Return the names of the open conversations that a supplicant has with a target, which can be a group."""
        if target[0] & 1:
            return list(self._names.get(supplicant, ()))
        return [name for name in (supplicant + target, supplicant + _NOBODY) if name in self._conversations]

    def enter(self, name: bytes) -> None:
        """Note that a conversation is open."""
        names = self._names.setdefault(name[:_LENGTH], [])
        names.append(name)
        if len(names) > MAX_SERVERS:
            names.pop(0)

    def forget(self, name: bytes) -> None:
        """Note that a conversation has ended."""
        names = self._names.get(name[:_LENGTH], [])
        if name in names:
            names.remove(name)
        if not names:
            self._names.pop(name[:_LENGTH], None)

    def _known(self, supplicant: bytes, server: bytes) -> bytes:
        """Return the name of the conversation of two ends. One that had no authenticator so far is theirs."""
        name, nameless = supplicant + server, supplicant + _NOBODY
        if name not in self._conversations and nameless in self._conversations:
            self.forget(nameless)
            self._conversations[name] = self._conversations.pop(nameless)
            self.enter(name)
        return name

    def _answering(self, supplicant: bytes, identifier: int) -> bytes:
        """Return the name of the conversation in which a supplicant sends that identifier to a group."""
        names = self._names.get(supplicant, [])
        asking = [name for name in names if self._conversations[name].asked() == identifier]
        if asking:
            return max(asking, key=lambda name: self._conversations[name].n_bytes)
        return names[-1] if names else supplicant + _NOBODY

    def _asking(self, server: bytes, identifier: int) -> bytes | None:
        """Return the name of the conversation in which a server sends that identifier to a group."""
        names = []
        for supplicant in reversed(self._grouped):
            known = next((one for one in (supplicant + server, supplicant + _NOBODY) if one in self._conversations), None)
            if known is not None and supplicant != server:
                names.append(known)
        for name in names:
            if (identifier - self._conversations[name].answered()) % 256 <= 1:
                return self._known(name[:_LENGTH], server)
        return self._known(names[0][:_LENGTH], server) if names else None
