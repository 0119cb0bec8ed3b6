"""Puts handshake messages together from their fragments, and in order (RFC 9147 section 5.5, RFC 6347 section 4.2.3).

Each message has a number, `message_seq`, and each fragment says which part of its message it has. Fragments come in any order,
more than once, and overlap; a flight that is not answered is sent again, also in other fragments. What is whole waits for the
messages before it. If bytes for the same place differ, the first ones count; `disputes.py` finds out whose they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from analyzer.codec.registry import registry
from analyzer.tls.dtls.dtls_events import FRAGMENT, REPEATED, WAITING
from analyzer.tls.limits import MAX_HANDSHAKE
from analyzer.tls.messages.numbers import FINISHED, HELLO_VERIFY_REQUEST

MAX_AHEAD = 32
"""Messages ahead of the next one that wait: the longest flight has ten."""

MAX_WAITING = 1 << 20
"""Bytes of a role's fragments that wait: more than a long flight with post-quantum certificates."""

MAX_FRAGMENTS = 256
"""Fragments of one message that wait for those before them."""

FRAGMENT_COST = 64
"""Bytes of memory that a waiting fragment needs in addition to its own."""

UNKNOWN = -1

_NOTHING: Mapping[int, Any] = MappingProxyType({})
_NO_NUMBERS: frozenset[int] = frozenset()
_NO_PARTS: dict[int, bytes] = {}
# Most sessions of a flood have nothing of this kind, so they share an empty one.

_NAMES = registry("handshake_types")


class PartialMessage:
    """A message of which not all bytes came, or that waits for its turn.

    type, length: as its header says. head: its bytes up to the first that is missing; parts: those behind, by offset. frame,
    at: of the fragment that completed it. sealed: whether it was encrypted. fragments: how many came;
    held: the bytes of memory that they need.
    """

    __slots__ = ("at", "fragments", "frame", "head", "held", "length", "parts", "sealed", "type")

    most_parts = MAX_FRAGMENTS

    def __init__(self, number: int, length: int, sealed: bool) -> None:
        self.type = number
        self.length = length
        self.sealed = sealed
        self.head = bytearray()
        self.parts: dict[int, bytes] = _NO_PARTS
        self.frame = 0
        self.at = -1
        self.fragments = self.held = 0

    @property
    def complete(self) -> bool:
        """Whether all its bytes came."""
        return len(self.head) == self.length

    @property
    def raw(self) -> bytes:
        """Its bytes so far behind a header of TLS, which has only type and length."""
        return bytes((self.type,)) + self.length.to_bytes(3, "big") + self.head

    def fits(self, number: int, length: int, offset: int, data: bytes) -> bool:
        """Return whether a fragment can be of this message: type and length are the same, and bytes that came before."""
        if number != self.type or length != self.length:
            return False
        head = self.head[offset : offset + len(data)]
        if head != data[: len(head)]:
            return False
        for begin, part in self.parts.items():
            first, last = max(offset, begin), min(offset + len(data), begin + len(part))
            if first < last and data[first - offset : last - offset] != part[first - begin : last - begin]:
                return False
        return True

    def add(self, offset: int, data: bytes) -> None:
        """Add the bytes of a fragment."""
        known = len(self.head)
        if offset > known:
            if len(self.parts) < self.most_parts and len(data) > len(self.parts.get(offset, b"")):
                if not self.parts:
                    self.parts = {}
                self.parts[offset] = data
            return
        self.head += data[known - offset :]
        while self.parts:
            first = min(self.parts)
            if first > len(self.head):
                break
            part = self.parts.pop(first)
            self.head += part[len(self.head) - first :]


class FlightReader:
    """The handshake messages of one role.

    next: number of the message whose turn it is, UNKNOWN before the first one; first: number of that one; last: of its
    Finished, UNKNOWN before it. epoch: in which
    the current handshake began. waiting: messages by their number. held: bytes that wait. since: time of the first fragment
    that waits now, -1 without one. repeated: fragments of messages that were complete before. plain: numbers of the messages
    of this handshake that were in plaintext. chosen: by number, the only message that is taken in plaintext, None for none;
    unhashed: those of them that no Finished covers; sealed: numbers that only a protected message has; no_cookie: whether a
    HelloVerifyRequest is not taken. n_taken: how many fragments were new.
    """

    __slots__ = (
        "chosen", "epoch", "first", "held", "last", "n_taken", "next", "no_cookie", "plain", "repeated", "sealed", "since",
        "unhashed", "waiting",
    )  # fmt: skip

    def __init__(self) -> None:
        self.next = self.first = self.last = UNKNOWN
        self.epoch = 0
        self.waiting: dict[int, PartialMessage] = {}
        self.held = 0
        self.since = -1
        self.repeated = self.n_taken = 0
        self.plain: tuple[int, ...] | set[int] = ()
        self.chosen: Mapping[int, PartialMessage | None] = _NOTHING
        self.unhashed: tuple[int, ...] = ()
        self.sealed: frozenset[int] = _NO_NUMBERS
        self.no_cookie = False

    def begin(self, epoch: int) -> None:
        """Prepare for another handshake, whose messages are numbered from 0 again."""
        self.waiting.clear()
        self.next = self.held = 0
        self.since = -1
        self.epoch = epoch
        self.plain = ()
        self.chosen = _NOTHING
        self.sealed = _NO_NUMBERS

    def take(self, header: bytes, data: bytes, sealed: bool, frame: int, at: int) -> bool:
        """Take a fragment: its header of 12 bytes, and what there is of its content. Returns whether it was new."""
        number, length = header[0], int.from_bytes(header[1:4], "big")
        sequence, offset = int.from_bytes(header[4:6], "big"), int.from_bytes(header[6:9], "big")
        if length > MAX_HANDSHAKE or offset > length or len(data) > length - offset:
            return False
        if self.next == UNKNOWN:
            self.next = self.first = sequence if number in (1, 2, 3) else 0
        if not sealed and self.is_refused(number, length, sequence, offset, data):
            return False
        if sequence < self.next:
            self.repeated += 1
            return False
        known = self.waiting.get(sequence)
        if known is not None and sealed and not known.sealed:  # anybody can have sent the one in plaintext
            self.held -= known.held
            known = None
        if sealed and number == FINISHED and self.last < 0:
            self.last = sequence
        if known is None:
            if sequence - self.next > MAX_AHEAD or self.held > MAX_WAITING:
                return False
            known = self.waiting[sequence] = PartialMessage(number, length, sealed)
        elif known.type != number or known.length != length or known.complete or self.held > MAX_WAITING:
            self.repeated += 1
            return False
        if self.since < 0:
            self.since = at
        known.add(offset, data)
        known.fragments += 1
        known.held += len(data) + FRAGMENT_COST
        self.held += len(data) + FRAGMENT_COST
        self.n_taken += 1
        if known.complete:
            known.frame, known.at = frame, at
        return True

    def is_refused(self, number: int, length: int, sequence: int, offset: int, data: bytes) -> bool:
        """Return whether a fragment in plaintext is not of a message that the role sent."""
        if (
            self.epoch > 0
            or sequence in self.sealed
            or 0 <= self.last < sequence
            or (self.no_cookie and number == HELLO_VERIFY_REQUEST)
        ):
            return True
        if sequence not in self.chosen:
            return False
        message = self.chosen[sequence]
        return message is None or not message.fits(number, length, offset, data)

    def leaves_out(self) -> bool:
        """Return whether no message is taken whose turn it is."""
        return self.next in self.chosen and self.chosen[self.next] is None

    def leave_out(self, sequence: int) -> None:
        """Take none of the messages in plaintext with a number whose turn has not come."""
        self.chosen = {**self.chosen, sequence: None}
        waiting = self.waiting.get(sequence)
        if waiting is not None and not waiting.sealed:
            self.held -= self.waiting.pop(sequence).held
            if not self.waiting:
                self.since = -1

    def drop_plaintext(self, last: int, *kept: int) -> list[tuple[int, int]]:
        """Forget the messages in plaintext that wait, but those of some types up to a number.

        Returns type and frame of those that were whole.
        """
        dropped = []
        for sequence, known in sorted(self.waiting.items()):
            if not known.sealed and (known.type not in kept or sequence > last):
                del self.waiting[sequence]
                self.held -= known.held
                if known.complete:
                    dropped.append((known.type, known.frame))
        if not self.waiting:
            self.since = -1
        return dropped

    def words_of(self, header: bytes, taken: bool) -> str:
        """Return what a fragment is, in words for lists of packets; empty if it completed its message, whose turn it is."""
        name = _NAMES.name(header[0]).replace("_", " ").title()
        if not taken:
            return name + REPEATED
        sequence = int.from_bytes(header[4:6], "big")
        known = self.waiting.get(sequence)
        if known is None or not known.complete:
            return name + FRAGMENT
        return name + WAITING if sequence != self.next else ""

    def advance(self) -> PartialMessage | None:
        """Return the next message in order, if it is whole."""
        found = self.waiting.get(self.next)
        if found is None or not found.complete:
            return None
        return self._let_go()

    def give_up(self) -> PartialMessage | None:
        """Stop waiting for the message whose turn it is. Returns what there is of it, None if nothing came."""
        if self.next in self.waiting:
            return self._let_go()
        self.next = min(self.waiting)
        return None

    def _note_plain(self, sequence: int) -> None:
        if isinstance(self.plain, set):
            self.plain.add(sequence)
        else:
            self.plain += (sequence,)
            if len(self.plain) > MAX_AHEAD:  # no handshake has as many
                self.plain = set(self.plain)

    def _let_go(self) -> PartialMessage:
        found = self.waiting.pop(self.next)
        if not found.sealed:
            self._note_plain(self.next)
        self.next += 1
        self.held -= found.held
        if not self.waiting:
            self.since = -1
        return found
