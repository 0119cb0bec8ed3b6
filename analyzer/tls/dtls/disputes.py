"""Finds out which handshake messages of a DTLS session are its own, where somebody else has sent some too.

Before the keys, nothing in a record proves who sent it, and whoever knows two ports can send a message with the right number
ahead of the real one (RFC 9147 section 5.2 has numbers, and no proof). So where two messages have one number, or fragments of
one contradict each other, none of them is taken: it counts as one that the capture lacks. What both sides hashed decides: the
message with which a Finished verifies is the real one. Nothing else does.

A message that is disputed was taken before the other came. So the records of a handshake are kept until it is over, and are
read again without it, or with another choice.
"""

from __future__ import annotations

from itertools import islice, product
from typing import Any

from analyzer.codec.registry import registry
from analyzer.tls.dtls.handshake_flights import PartialMessage
from analyzer.tls.handshake.authentication import VERIFIED
from analyzer.tls.handshake.transcript import RETRY_SHOWN
from analyzer.tls.limits import MAX_HANDSHAKE, PENDING_COST
from analyzer.tls.messages.hello import HELLO_RETRY_REQUEST_RANDOM, DTLSClientHello, HelloVerifyRequest
from analyzer.tls.messages.numbers import (
    CLIENT_HELLO,
    HEADER,
    HELLO_VERIFY_REQUEST,
    NEW_SESSION_TICKET,
    SERVER_HELLO,
    SERVER_HELLO_DONE,
)
from analyzer.tls.record.record import Record

MAX_RECORDS = 512
"""Records of a handshake that are kept. With lost datagrams and small fragments, long ones have a hundred."""

MAX_BYTES = 1 << 20
"""Bytes of these records and of their messages, which is more than a handshake with post-quantum certificates has."""

MAX_VERSIONS = 4
"""Messages with one number that are kept: the real one, and some of others."""

MAX_MESSAGES = 64
"""Numbers of messages that are compared, of both roles."""

MAX_REQUESTS = 4
"""Numbers with which several HelloVerifyRequests came that are known. A server has one, or that of the ClientHello."""

MAX_READINGS = 4
"""How often records are read again before it waits until there are twice as many."""

MAX_PARTS = 16
"""Parts of one of them behind bytes that are missing: each fragment is compared with all."""

MAX_CHOICES = 8
"""Choices between disputed messages that are tried at one time."""

MAX_TRIALS = 8
"""Times at which choices are tried: after 1, 2, 4, 8, … protected records, and at the end."""

_NAMES = registry("handshake_types")
_CLIENT, _SERVER = 0, 1

_FIRST, _SECOND = (_CLIENT, 0), (_CLIENT, 1)

Place = tuple[int, int]
"""A role, and the number of one of its messages."""

_NONE: frozenset[Any] = frozenset()
"""What most sessions have, in one place: an empty set takes 216 bytes."""

Choice = dict[Place, PartialMessage | None]
"""Which message is taken in a place, None for none."""


class Version(PartialMessage):
    """One of the messages with one number. begun: the frame of its first fragment."""

    __slots__ = ("_cookie", "begun")

    most_parts = MAX_PARTS

    def __init__(self, number: int, length: int, frame: int) -> None:
        super().__init__(number, length, False)
        self.begun = frame
        self._cookie: bytes | None = None

    @property
    def cookie(self) -> bytes:
        """The cookie in a ClientHello or HelloVerifyRequest; empty if it is not whole, or has none. It is read once."""
        if self._cookie is None:
            if not self.complete:
                return b""
            self._cookie = _cookie(self)
        return self._cookie

    def copy_around(self, first: PartialMessage, start: int, end: int) -> None:
        """Take all bytes of another message but those between two offsets, which are others here."""
        known = bytes(first.head)
        self.add(0, known[:start])
        if len(known) > end:
            self.add(end, known[end:])
        for offset, part in first.parts.items():
            if offset < start:
                self.add(offset, part[: start - offset])
            if offset + len(part) > end:
                self.add(max(offset, end), part[max(0, end - offset) :])


class Disputes:
    """The messages of one session in plaintext, and the records that they came in.

    records, size: what is kept of the handshake, and its bytes with those of `versions`. versions: what came in each place.
    disputed: the places in which several messages came, with the frames in which these began; fresh: whether one of them is
    new. sealed: places of which a protected message showed that one in plaintext is not its role's. cookies: numbers that a
    HelloVerifyRequest had; requests: places in which several came, which is legal; no_cookie: whether none is the server's.
    begins: by role, the number of its first message. has_second: whether the client sent a second ClientHello. found: whether
    something is new for which the records have to be read again. choice: what a Finished has proved; proved: whether that is
    all of the handshake. trials: how often choices were tried, n_sealed: after how many protected records. full: whether the
    records took too much memory. over: whether the handshake is over, or they did: then nothing in plaintext counts. n_read:
    how often they were read again, read_at: how many there were.
    """

    __slots__ = (
        "begins", "choice", "cookies", "disputed", "found", "fresh", "full", "has_second", "n_read", "n_sealed", "no_cookie",
        "over", "proved", "read_at", "records", "requests", "sealed", "size", "trials", "versions",
    )  # fmt: skip

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.size = 0
        self.versions: dict[Place, list[Version]] = {}
        self.disputed: dict[Place, list[int]] = {}
        self.sealed: frozenset[Place] = _NONE
        self.cookies: frozenset[int] = _NONE
        self.begins: dict[int, int] = {}
        self.requests: dict[Place, None] = {}
        self.choice: Choice = {}
        self.no_cookie = self.has_second = False
        self.found = self.proved = self.over = False
        self.trials = self.n_sealed = self.n_read = self.read_at = 0
        self.full = self.fresh = False

    def keep(self, record: Record) -> None:
        """Keep a copy of a record, until there are too many."""
        self.size += len(record.body) + PENDING_COST
        self.full = len(self.records) >= MAX_RECORDS or self.size > MAX_BYTES
        if not self.full:
            self.records.append(record.copy())

    def is_worth_reading(self) -> bool:
        """Return whether the records are read again now that something is new. Where much is disputed, that waits for more."""
        if not self.found or (self.n_read >= MAX_READINGS and len(self.records) < 2 * self.read_at):
            return False
        self.found = False
        self.n_read += 1
        self.read_at = len(self.records)
        return True

    def end(self) -> None:
        """Forget the records: the handshake is over."""
        self.over = True
        self.records = []
        self.versions = {}
        self.size = 0

    def compare(self, role: int, header: bytes, data: bytes, frame: int) -> None:
        """Compare a fragment in plaintext with those that came before: its header of 12 bytes, and its content."""
        number, length = header[0], int.from_bytes(header[1:4], "big")
        place = role, int.from_bytes(header[4:6], "big")
        offset = int.from_bytes(header[6:9], "big")
        if self.over or self.proved or length > MAX_HANDSHAKE or offset > length or len(data) > length - offset:
            return
        if number == HELLO_VERIFY_REQUEST:
            self.cookies |= {place[1]}
        self.size += len(data)
        asks = place in self.requests or place == _SECOND  # else nothing changes which one the client answers
        before = [self._request(one) for one in self.requests] if asks else []
        self._add(place, header, data, frame)
        if place[1] > 0 and any(one.type != HELLO_VERIFY_REQUEST for one in self.versions.get(place, ())):
            self.cookies -= {place[1]}  # a server asks for a cookie with its first message
        if asks:
            self.found = self.found or before != [self._request(one) for one in self.requests]

    def _add(self, place: Place, header: bytes, data: bytes, frame: int) -> None:
        number, length, offset = header[0], int.from_bytes(header[1:4], "big"), int.from_bytes(header[6:9], "big")
        versions = self.versions.get(place)
        if versions is None:
            if len(self.versions) < MAX_MESSAGES:
                self._begin(place, number, length, frame).add(offset, data)
                self._note_first(*place, number)
            if place == _SECOND and number == CLIENT_HELLO:
                self._go_on()
            return
        asked = all(one.type == HELLO_VERIFY_REQUEST for one in versions)
        if asked and number != HELLO_VERIFY_REQUEST and not self.has_second and not self._asks(number, offset, data):
            # A server that asks for a cookie does not answer without one.
            self._begin(place, number, length, frame).add(offset, data)
            self.no_cookie = self.found = True
            return
        fitting = [one for one in versions if one.fits(number, length, offset, data)]
        for one in fitting:
            one.add(offset, data)
        if fitting or len(versions) >= MAX_VERSIONS:
            return
        if asked and number == HELLO_VERIFY_REQUEST:  # a server may make another one each time
            if place in self.requests or (place[0] == _SERVER and len(self.requests) < MAX_REQUESTS):
                self._begin(place, number, length, frame).add(offset, data)
                self.found = self.found or place not in self.requests
                self.requests[place] = None
            return
        first = versions[0]
        added = self._begin(place, number, length, frame)
        if first.type == number and first.length == length:
            added.copy_around(first, offset, offset + len(data))
            self.size += len(first.head) + sum(map(len, first.parts.values()))
        added.add(offset, data)
        self.fresh = self.fresh or place not in self.disputed
        self.disputed[place] = [one.begun for one in versions]

    def _begin(self, place: Place, number: int, length: int, frame: int) -> Version:
        added = Version(number, length, frame)
        self.versions.setdefault(place, []).append(added)
        return added

    def _asks(self, number: int, offset: int, data: bytes) -> bool:
        """Return whether a fragment begins a HelloRetryRequest, which asks for a cookie too."""
        return number == SERVER_HELLO and offset == 0 and data[2 : 2 + RETRY_SHOWN] == HELLO_RETRY_REQUEST_RANDOM[:RETRY_SHOWN]

    def _request(self, place: Place) -> Version | None:
        """Return the HelloVerifyRequest that a client answers, where several came: the one with its cookie; None if none has.

        Before its answer that is the first one that a server can have sent.
        """
        found = [(one.cookie, one) for one in self.versions.get(place, ()) if one.type == HELLO_VERIFY_REQUEST]
        if self.has_second:
            hellos = [(one.cookie, one.begun) for one in self.versions.get(_SECOND, ()) if one.type == CLIENT_HELLO]
            found = [(cookie, one) for cookie, one in found if any(cookie == known and one.begun < at for known, at in hellos)]
        return next((one for cookie, one in found if cookie), None)

    def _go_on(self) -> None:
        """Take it that the client sent another ClientHello: the server has asked for it."""
        self.has_second = True
        if self.no_cookie:
            self.no_cookie = False
            for place, versions in self.versions.items():
                if versions[0].type == HELLO_VERIFY_REQUEST and versions[-1].type != HELLO_VERIFY_REQUEST:
                    self.disputed[place] = [one.begun for one in versions]
        self.found = self.found or bool(self.disputed)

    def _note_first(self, role: int, sequence: int, number: int) -> None:
        """Note the number of a role's first message. A hello that comes later with a lower one was before it, or nobody's."""
        known = self.begins.get(role)
        if number in (CLIENT_HELLO, SERVER_HELLO) and known is not None and sequence < known:
            self.begins[role] = sequence
            self.found = True
        elif known is None:
            self.begins[role] = sequence if number in (CLIENT_HELLO, SERVER_HELLO, HELLO_VERIFY_REQUEST) else 0

    def refuse(self, role: int, sequence: int) -> None:
        """Note that a role sent a message protected, with the number of one that came in plaintext."""
        if not self.over and (role, sequence) not in self.sealed:
            self.sealed |= {(role, sequence)}
            self.found = True

    def only_proved(self) -> Choice:
        """Return the choice that takes only those of the disputed messages that a Finished has proved."""
        requests: Choice = {place: self._request(place) for place in self.requests}
        return {**requests, **{place: self.choice.get(place) for place in self.disputed}}

    def prove(self, choice: Choice, tls13: bool, finished: list[str]) -> None:
        """Note the choice with which a Finished verifies. finished: by role, what is known of it.

        Up to DTLS 1.2, the client's alone says nothing about a ticket: that comes behind it, unless the session is resumed. Nor
        about what somebody else has sent in its place.
        """
        alone = not tls13 and finished[_SERVER] != VERIFIED
        done = self._done(choice)
        behind = [
            place
            for place, one in choice.items()
            if one is not None and (one.type == NEW_SESSION_TICKET or (place[0] == _SERVER and place[1] > done))
        ]
        self.choice = {**choice, **dict.fromkeys(behind if alone else [])}
        self.proved = tls13 or finished == [VERIFIED, VERIFIED]

    def _done(self, choice: Choice) -> int:
        """Return the number of the ServerHelloDone, the last message of the server that the client's Finished proves.

        It is larger than all others if there is none.
        """
        taken = ((place, choice.get(place, versions[0])) for place, versions in self.versions.items())
        numbers = (place[1] for place, one in taken if one is not None and one.type == SERVER_HELLO_DONE)
        return min(numbers, default=1 << 16)

    def is_unhashed(self, place: Place) -> bool:
        """Return whether no Finished proves a message up to DTLS 1.2: a HelloVerifyRequest, and the hello that it answers.

        See RFC 6347 section 4.2.6.
        """
        if self.no_cookie or not self.has_second:
            return False
        return bool(self.cookies) and (place == _FIRST or (place[0] == _SERVER and place[1] in self.cookies))

    def choices(self, tls13: bool) -> list[Choice]:
        """Return the choices to try, those that came last first: who forges a message has to be ahead of the real one.

        None is taken where none is whole, and where a Finished has proved one, that one.
        """
        known = self.only_proved()
        places = [place for place, one in known.items() if one is None and (tls13 or not self.is_unhashed(place))]
        whole: list[list[Any]] = [[one for one in reversed(self.versions.get(place, [])) if one.complete] for place in places]
        chosen = islice(product(*(one or [None] for one in whole)), MAX_CHOICES)
        return [{**known, **dict(zip(places, some, strict=True))} for some in chosen]

    def is_due(self) -> bool:
        """Return whether choices are tried now that another protected record came."""
        self.n_sealed += 1
        if self.proved or not self.disputed or self.over or self.trials >= MAX_TRIALS:
            return False
        return self.n_sealed & (self.n_sealed - 1) == 0

    def findings(self, tls13: bool) -> list[tuple[str, list[int]]]:
        """Return sentence and frames for each disputed message."""
        found = []
        for (role, sequence), frames in sorted(self.disputed.items()):
            who = "server" if role else "client"
            place = role, sequence
            known = self.choice.get(place) is not None or (self.proved and place in self.sealed)
            proved = known and (tls13 or not self.is_unhashed(place))
            contents = f"message {sequence} of the {who} came with different contents"
            if proved:
                detail = f"{contents}; the Finished proves which is its own"
            else:
                detail = f"{contents}; nothing proves which is its own, and none is used"
            found.append((detail, frames))
        return found


def _cookie(message: Version) -> bytes:
    """Return the cookie in a whole ClientHello or HelloVerifyRequest; empty if it has none."""
    if message.type == CLIENT_HELLO:
        return DTLSClientHello.read(message.raw[HEADER:])[0].legacy_cookie or b""
    body, problems = HelloVerifyRequest.read(message.raw[HEADER:])
    return b"" if problems else body.cookie
