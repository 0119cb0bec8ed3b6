"""Finds the connection IDs that the hellos of a session agree on, which records need to be read (RFC 9146 section 3).

Each side names the ID under which it wants to be reached, also an empty one. Records to it have an ID only if both hellos have
the extension. The hellos are in plaintext, so no secret is needed, and all processes that share a capture read the same.
"""

from __future__ import annotations

from analyzer.tls.dtls.handshake_flights import FlightReader
from analyzer.tls.handshake.transcript import is_retry
from analyzer.tls.messages.hello import DTLSClientHello, ServerHello
from analyzer.tls.messages.numbers import CLIENT_HELLO, HEADER, SERVER_HELLO

CONNECTION_ID = 54
"""The type of the extension (registry `extensions`)."""


class HelloIds:
    """The connection IDs of one session. asked: by role, the ID under which it is reached, None without one."""

    __slots__ = ("asked", "flights", "settled")

    def __init__(self) -> None:
        self.asked: list[bytes | None] = [None, None]
        self.flights = (FlightReader(), FlightReader())
        self.settled = False

    def take(self, role: int, body: bytes) -> list[bytes]:
        """Take the content of a handshake record in plaintext. Returns the IDs, not empty, that are agreed on with it."""
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

    @property
    def held(self) -> int:
        """Bytes of fragments that wait."""
        return sum(flight.held for flight in self.flights)

    def length(self, role: int) -> int:
        """Return how long the IDs in records to a role are: 0 without one."""
        asked = self.asked[role]
        return len(asked) if asked is not None and self.settled else 0

    def known(self) -> list[bytes]:
        """Return the IDs that records have, without empty ones."""
        return [one for one in self.asked if one] if self.settled else []

    def _read(self, role: int, number: int, raw: bytes) -> None:
        if number not in (CLIENT_HELLO, SERVER_HELLO):
            return
        hello, _ = (ServerHello if role else DTLSClientHello).read(raw[HEADER:])
        found = [extension.body for extension in hello.extensions or () if extension.type == CONNECTION_ID]
        self.asked[role] = getattr(found[0], "cid", None) if found else None
        if role == 1 and number == SERVER_HELLO and not is_retry(raw):
            self.settled = True
            self.flights = (FlightReader(), FlightReader())
            if None in self.asked:
                self.asked = [None, None]
