"""Finds the connection IDs that the hellos of a session agree on, which records need to be read (RFC 9146 section 3).

Each side names the ID under which it wants to be reached, also an empty one. Records to it have an ID only if both hellos have
the extension. The hellos are in plaintext, so no secret is needed, and all processes that share a capture read the same.
"""

from __future__ import annotations

from analyzer.tls.dtls.handshake_flights import FlightReader
from analyzer.tls.dtls.record_headers import TLS12_CID
from analyzer.tls.handshake.transcript import is_retry
from analyzer.tls.messages.hello import DTLSClientHello, ServerHello
from analyzer.tls.messages.numbers import CLIENT_HELLO, HEADER, SERVER_HELLO

CONNECTION_ID = 54
"""The type of the extension (registry `extensions`)."""

MAX_ANNOUNCED = 64
"""Connection IDs of a role that are known beside that of its hello. RFC 9147 lets a peer ask for 255, and give fewer."""

MAX_DOUBTED = 8
"""Connection IDs in hellos of a role that are known. A client has two hellos, which have the same ID."""

_HELLOS = (bytes((CLIENT_HELLO,)), bytes((SERVER_HELLO,)))

_ID_IN_RECORD = 11
"""Where the connection ID begins in a record of the content type tls12_cid."""

_UNIFIED_WITH_ID, _CID_BITS = 0x30, 0xF0
"""The bits of a unified header that a connection ID follows, which are 001 and C; what they are masked with."""


class HelloIds:
    """The connection IDs of one session. asked: by role, the ID under which it is reached, None without one.

    more: by role, the IDs that it announced later, which are as good. doubted: by role, those of all its hellos, of which some
    can be somebody else's.
    """

    __slots__ = ("asked", "doubted", "flights", "more", "settled")

    def __init__(self) -> None:
        self.asked: list[bytes | None] = [None, None]
        self.flights = (FlightReader(), FlightReader())
        self.doubted: tuple[list[bytes], list[bytes]] = ([], [])
        self.more: tuple[list[bytes], list[bytes]] = ([], [])
        self.settled = False

    def take(self, role: int, body: bytes) -> list[bytes]:
        """Take the content of a handshake record in plaintext. Returns the IDs, not empty, that are agreed on with it."""
        self._doubt(role, body)
        if self.settled:
            return []
        pos = 0
        flight = self.flights[role]
        while len(body) - pos >= 12:
            length = int.from_bytes(body[pos + 9 : pos + 12], "big")
            flight.take(body[pos : pos + 12], body[pos + 12 : pos + 12 + length], False, 0, 0)
            pos += 12 + length
            while (message := flight.advance()) is not None:
                self._read(role, message.type, message.raw)
                if self.settled:
                    return self.known()
        return []

    def _doubt(self, role: int, body: bytes) -> None:
        """Take the ID of a hello that is whole in its record, which can be another one than that which came first."""
        if body[:1] in _HELLOS and body[6:9] == b"\0\0\0" and body[1:4] == body[9:12]:
            length = int.from_bytes(body[1:4])
            known = _asked(role, body[:4] + body[12 : 12 + length])
            if known and known not in self.doubted[role] and len(self.doubted[role]) < MAX_DOUBTED:
                self.doubted[role].append(known)
                self.doubted[role].sort(key=len, reverse=True)

    @property
    def held(self) -> int:
        """Bytes of fragments that wait."""
        return sum(flight.held for flight in self.flights)

    def length(self, role: int) -> int:
        """Return how long the IDs in records to a role are: 0 without one."""
        asked = self.asked[role]
        return len(asked) if asked is not None and self.settled else 0

    def is_named(self, role: int, data: bytes, start: int, end: int) -> bool:
        """Return whether the record to a role that begins at `start` has the ID of its hello. end: of the datagram."""
        asked, place = self.asked[role], place_of_id(data[start])
        return bool(asked and place and self.settled) and data.startswith(asked or b"", start + place, end)

    def length_in(self, role: int, data: bytes, start: int, end: int) -> int:
        """Return how long the ID is in a record to a role that begins at `start`: 0 without one. end: of the datagram."""
        if place := place_of_id(data[start]):
            for known in (*self.more[role], *self.doubted[role]):
                if data.startswith(known, start + place, end):
                    return len(known)
        return self.length(role)

    def announce(self, role: int, known: bytes) -> bool:
        """Take an ID under which a role wants to be reached too (RFC 9147 section 9). Returns whether it is a new one."""
        if not known or not self.settled or known == self.asked[role] or known in self.more[role]:
            return False
        if len(self.more[role]) >= MAX_ANNOUNCED:
            return False
        self.more[role].append(known)
        self.more[role].sort(key=len, reverse=True)  # one can begin as another does
        return True

    def known(self) -> list[bytes]:
        """Return the IDs of the hellos that records have, without empty ones."""
        return [one for one in self.asked if one] if self.settled else []

    def announced(self) -> list[bytes]:
        """Return the IDs that came after the hellos."""
        return [*self.more[0], *self.more[1]]

    def _read(self, role: int, number: int, raw: bytes) -> None:
        if number not in (CLIENT_HELLO, SERVER_HELLO):
            return
        self.asked[role] = _asked(role, raw)
        if role == 1 and number == SERVER_HELLO and not is_retry(raw):
            self.settled = True
            self.flights = (FlightReader(), FlightReader())
            if None in self.asked:
                self.asked = [None, None]


def _asked(role: int, raw: bytes) -> bytes | None:
    """Return the ID in a hello of a role, None without one. raw: with the header of TLS."""
    hello, _ = (ServerHello if role else DTLSClientHello).read(raw[HEADER:])
    found = [extension.body for extension in hello.extensions or () if extension.type == CONNECTION_ID]
    return getattr(found[0], "cid", None) if found else None


def place_of_id(first: int) -> int:
    """Return where the connection ID begins in a record with that first byte; 0 if it has none."""
    if first == TLS12_CID:
        return _ID_IN_RECORD
    return 1 if first & _CID_BITS == _UNIFIED_WITH_ID else 0
