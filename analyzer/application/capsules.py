"""Counts the capsules of an extended CONNECT (RFC 9297 section 3): of WebTransport, CONNECT-UDP, CONNECT-IP.

A capsule has a type and a length, both of variable length, and a value. One of the type DATAGRAM is an HTTP datagram that did
not go in a QUIC datagram. Values are not kept. Behind missing bytes whose number is known, reading goes on only within a value:
elsewhere nothing marks the next capsule.
"""

from typing import Final

from analyzer.application.exchange import Exchange
from analyzer.codec.registry import registry
from analyzer.codec.varint import read_varint

PROTOCOLS: Final = frozenset({"webtransport", "webtransport-h3", "connect-udp", "connect-ip", "connect-tcp"})
"""The protocols of an extended CONNECT whose streams carry capsules."""

TYPES_MAX: Final = 32
"""Types of capsules of one exchange that are counted apart; those of further types are counted together, as `other`."""

OTHER: Final = "other"


class CapsuleReader:
    """Reads one direction of a stream. role: who sends. It counts in the exchange."""

    __slots__ = ("_exchange", "_head", "_left", "_lost", "_role")

    def __init__(self, exchange: Exchange, role: int) -> None:
        self._exchange = exchange
        self._role = role
        self._head = b""
        self._left = 0
        self._lost = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        pos, end = 0, len(data)
        while pos < end and not self._lost:
            if self._left:
                n_bytes = min(self._left, end - pos)
                self._left -= n_bytes
                pos += n_bytes
                continue
            head = self._head + data[pos : pos + 16]  # two numbers have 16 bytes at most
            kind = read_varint(head, 0)
            length = None if kind is None else read_varint(head, kind[1])
            if kind is None or length is None:
                self._head = head
                return
            pos += length[1] - len(self._head)
            self._head = b""
            self._left = length[0]
            self._count(kind[0])

    def gap(self, length: int | None) -> None:
        """Handle missing bytes; their number is None if it is not known."""
        if length is not None and length <= self._left:
            self._left -= length
        else:
            self._lost = True

    def _count(self, kind: int) -> None:
        exchange = self._exchange
        if exchange.capsules is None:
            exchange.capsules = {}
        name = registry("http_capsule_types").name(kind)
        if name not in exchange.capsules and len(exchange.capsules) >= TYPES_MAX:
            name = OTHER
        exchange.capsules.setdefault(name, [0, 0])[self._role] += 1
