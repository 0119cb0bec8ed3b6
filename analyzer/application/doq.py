"""Reads DNS over QUIC (RFC 9250): each query has a stream of its own, which the client opens.

A message follows its length in two bytes (section 4.2). A zone transfer has several responses in one stream. Missing bytes hide
where the next message begins, so the rest of that direction of the stream is not read.
"""

from typing import Final

from analyzer.application.dns_message import read_dns_message
from analyzer.application.exchange import CLIENT, NAMES, ConversationLog
from analyzer.codec.registry import registry

STREAMS_MAX: Final = 1024
"""Maximum number of directions of streams that hold a part of a message; beyond it the oldest is dropped."""

_LENGTH: Final = 2


class _Direction:
    """What one side sent in a stream, as far as it is not read. lost: whether the rest cannot be read."""

    __slots__ = ("held", "lost")

    def __init__(self) -> None:
        self.held = bytearray()
        self.lost = False


class Doq:
    """DNS over QUIC (`protocol_reader.StreamReader`)."""

    kind = "doq"

    def __init__(self, log: ConversationLog) -> None:
        self._log = log
        log.dns = []
        self._directions: dict[tuple[int, int], _Direction] = {}

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, frame: int, at: int) -> None:
        """Take the next bytes of one role in a stream. end: whether they are the last."""
        direction = self._direction(stream, role)
        if not direction.lost:
            direction.held += data
            self._read(direction.held, stream, role, frame, at)
        if end:
            if direction.held and not direction.lost:
                self._log.note("malformed_dns_message", f"the {NAMES[role]} ends stream {stream} within a message", frame)
            self._directions.pop((stream, role), None)

    def gap_stream(self, stream: int, role: int, length: int | None) -> None:
        """Handle missing bytes."""
        direction = self._direction(stream, role)
        direction.lost = True
        direction.held.clear()

    def reset_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Handle RESET_STREAM: a client cancels a query, or a server refuses it (RFC 9250 section 4.3)."""
        self._directions.pop((stream, role), None)
        if role != CLIENT and code:
            name = registry("doq_error_codes").name(code)
            self._log.note("dns_query_refused", f"the server refuses the query of stream {stream} with {name}", frame)

    def stop_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Do nothing: a message that was read stays."""

    def feed_datagram(self, role: int, data: bytes, frame: int, at: int) -> None:
        """Do nothing: DNS over QUIC has no datagrams."""

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Ignore data outside of streams."""

    def gap(self, side: int, length: int | None) -> None:
        """Ignore data outside of streams."""

    def close(self) -> None:
        """Drop what is not complete."""
        self._directions.clear()

    def _read(self, held: bytearray, stream: int, role: int, frame: int, at: int) -> None:
        pos = 0
        while len(held) - pos >= _LENGTH:
            length = int.from_bytes(held[pos : pos + _LENGTH], "big")
            if length > len(held) - pos - _LENGTH:
                break
            pos += _LENGTH
            message = read_dns_message(bytes(held[pos : pos + length]), stream, role, frame, at)
            pos += length
            if message is None:
                self._log.note("malformed_dns_message", f"a message of {length} bytes in stream {stream}", frame)
            else:
                self._log.add_dns(message)
        del held[:pos]

    def _direction(self, stream: int, role: int) -> _Direction:
        found = self._directions.get((stream, role))
        if found is None:
            if len(self._directions) >= STREAMS_MAX:
                del self._directions[next(iter(self._directions))]
            found = self._directions[stream, role] = _Direction()
        return found
