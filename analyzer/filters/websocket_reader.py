"""Reads the frames of one WebSocket session as fields (RFC 6455 section 5.2).

A session is one of WebSocket from a response 101 on that says so. Behind missing bytes nothing tells where a frame begins, so
that the direction has no more fields. A compressed payload (RFC 7692) has its bytes, but no text.
"""

import re

from analyzer.filters.decrypted_streams import StreamReader
from analyzer.filters.frame_view import Found
from analyzer.filters.packet_values import Occurrence

MAX_HEADERS = 1 << 14
"""Longest response 101 that is read, in bytes."""

MAX_PAYLOAD = 1 << 20
"""Longest payload that is held for fields, in bytes; the header of a longer frame has its fields."""

_SWITCHES = re.compile(rb"HTTP/1\.1 101[ \r\n].*?\r\nupgrade:[ \t]*websocket[ \t]*\r\n", re.IGNORECASE | re.DOTALL)
_SERVER = 1
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_FORMS = {126: (2, "16"), 127: (8, "64")}
"""The bytes of the length that follows, and what its field is called."""


class WebsocketReader(StreamReader):
    """Waits for the response 101, and then reads both directions."""

    def __init__(self) -> None:
        self._head = b""
        self._directions: list[_Direction] | None = None

    def feed(self, role: int, data: bytes, found: Found) -> None:
        """Take the next bytes of a side."""
        if self._directions is not None:
            self._directions[role].feed(data, found)
        elif role == _SERVER:
            self._seek(data, found)

    def gap(self, role: int) -> None:
        """Bytes of a role are missing here."""
        if self._directions is not None:
            self._directions[role].lost = True
        elif role == _SERVER:
            self._head = b""

    def _seek(self, data: bytes, found: Found) -> None:
        """Look for the response: it begins where data of the server begins, because the server waits for the client."""
        self._head += data
        if b"HTTP/1.1 101"[: len(self._head)] != self._head[:12] or len(self._head) > MAX_HEADERS:
            self._head = b""
            return
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if end:
            self._head = b""
            if _SWITCHES.match(head + b"\r\n") is not None:
                self._directions = [_Direction(), _Direction()]
                self._directions[_SERVER].feed(rest, found)


class _Direction:
    """Reads the frames of one side. lost: whether the place of the next frame is unknown."""

    def __init__(self) -> None:
        self.lost = False
        self._held = bytearray()
        self._skipped = 0
        self._parts: bytearray | None = None

    def feed(self, data: bytes, found: Found) -> None:
        """Take the next bytes."""
        if self.lost:
            return
        if self._skipped:
            n_bytes = min(self._skipped, len(data))
            self._skipped -= n_bytes
            data = data[n_bytes:]
        self._held += data
        at = 0
        while not self._skipped:
            size = self._read_frame(at, found)
            if not size:
                break
            at += size
        del self._held[:at]

    def _read_frame(self, at: int, found: Found) -> int:
        """Read the frame at this offset. Return its size, 0 if it is not complete."""
        held = self._held
        if len(held) - at < 2:
            return 0
        short, masked = held[at + 1] & 0x7F, held[at + 1] >> 7
        n_more, form = _FORMS.get(short, (0, ""))
        start = at + 2 + n_more + 4 * masked
        if len(held) < start:
            return 0
        length = int.from_bytes(held[at + 2 : at + 2 + n_more]) if n_more else short
        if length <= MAX_PAYLOAD and length > len(held) - start:
            return 0
        self._add_header(held[at], short, masked, found)
        if n_more:
            _add(found, f"websocket.payload_length_ext_{form}", length, bytes(held[at + 2 : at + 2 + n_more]))
        key = bytes(held[start - 4 : start]) if masked else b""
        if masked:
            _add(found, "websocket.masking_key", key, key)
        if length > MAX_PAYLOAD:
            self._parts = None
            self._skipped = max(0, length - (len(held) - start))
            return min(len(held) - at, start - at + length)
        payload = self._add_payload(held[at] & 0x0F, bytes(held[start : start + length]), key, found)
        if not held[at] & 0x08:
            self._add_text(held[at], payload, found)
        return start - at + length

    def _add_header(self, first: int, short: int, masked: int, found: Found) -> None:
        opcode = first & 0x0F
        _add(found, "websocket", b"", b"")
        for name, value in (("fin", bool(first & 0x80)), ("rsv", first >> 4 & 7), ("opcode", opcode)):
            _add(found, f"websocket.{name}", value, bytes((first,)))
        if first & 0x40:
            _add(found, "websocket.pmc", True, bytes((first,)))
        for name, value in (("mask", bool(masked)), ("payload_length", short)):
            _add(found, f"websocket.{name}", value, bytes((masked << 7 | short,)))

    def _add_payload(self, opcode: int, wire: bytes, key: bytes, found: Found) -> bytes:
        payload = _unmasked(wire, key)
        if not payload:
            return b""
        if key:
            _add(found, "websocket.masked_payload", wire, wire)
        _add(found, "websocket.payload", payload, payload)
        if opcode == _CLOSE and len(payload) >= 2:
            _add(found, "websocket.payload.close.status_code", int.from_bytes(payload[:2]), payload[:2])
            if len(payload) > 2:
                _add(found, "websocket.payload.close.reason", payload[2:].decode("utf-8", "replace"), payload[2:])
        elif opcode in (_PING, _PONG):
            _add(found, "websocket.payload.ping" if opcode == _PING else "websocket.payload.pong", payload, payload)
        return payload

    def _add_text(self, first: int, payload: bytes, found: Found) -> None:
        """Add the text of a message with its last frame. first: the first byte of the frame."""
        if first & 0x0F:
            self._parts = bytearray() if first & 0x4F == _TEXT else None
        if self._parts is None:
            return
        self._parts += payload
        if len(self._parts) > MAX_PAYLOAD:
            self._parts = None
        elif first & 0x80:
            text = bytes(self._parts)
            self._parts = None
            if text:
                _add(found, "websocket.payload.text", text.decode("utf-8", "replace"), text)


def _add(found: Found, name: str, value: object, raw: bytes) -> None:
    found.setdefault(name, []).append(Occurrence(value, raw, 1))  # type: ignore[arg-type]


def _unmasked(wire: bytes, key: bytes) -> bytes:
    """Return the payload without its mask (RFC 6455 section 5.3)."""
    if not key:
        return wire
    n_bytes = len(wire)
    mask = int.from_bytes((key * (n_bytes // 4 + 1))[:n_bytes])
    return (int.from_bytes(wire) ^ mask).to_bytes(n_bytes)
