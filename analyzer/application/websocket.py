"""Reads WebSocket (RFC 6455) with permessage-deflate (RFC 7692): joins the frames of both directions to messages.

A message is one or more data frames; control frames may come between them. Payloads are passed on in pieces. They are unmasked
and inflated only if their bytes or their decoded length are needed. Frames have no mark. After a gap of unknown length, reading
continues at the next piece of the stream in which every header is plausible.
"""

import zlib
from collections.abc import Iterator
from typing import Final

from analyzer.application.content_codings import PIECE
from analyzer.application.exchange import CLIENT, NAMES, SERVER, ConversationLog, Exchange, Message

INFLATED_MAX: Final = 1 << 28
"""Maximum inflated bytes of one message."""

RATIO_MAX: Final = 250
"""Maximum inflated bytes for each byte on the wire, above RATIO_FREE."""

RATIO_FREE: Final = 1 << 22
"""Number of inflated bytes that a message may have at any ratio."""

CONTROL_MAX: Final = 125
"""Maximum bytes of a control frame's payload (RFC 6455 section 5.5)."""

PLAUSIBLE_MAX: Final = 1 << 24
"""Maximum length of a plausible frame after a gap."""

_OPCODES: Final = frozenset({0, 1, 2, 8, 9, 10})


_PLAUSIBLE_MAX_HEADERS: Final = 8
"""Maximum number of consecutive headers that are checked after a gap."""


class _Inflater:
    """Inflates one direction of permessage-deflate. `lost`: later bytes refer to bytes that are missing."""

    def __init__(self, takeover: bool) -> None:
        self._takeover = takeover
        self._stream = zlib.decompressobj(-15)
        self.lost = False

    def inflate(self, data: bytes) -> Iterator[bytes]:
        """Yield the bytes that `data` adds. Raises zlib.error if it is not valid deflate."""
        while True:
            piece = self._stream.decompress(data, PIECE)
            if piece:
                yield piece
            if self._stream.eof:
                # A message may end with a final block, and continue after it (RFC 7692 section 7.2.3.4).
                data = self._stream.unused_data
                self._stream = zlib.decompressobj(-15)
                if not data:
                    return
            else:
                data = self._stream.unconsumed_tail
                if not data and len(piece) < PIECE:
                    return

    def begin_message(self) -> None:
        """Forget the earlier bytes if the next message does not refer to them."""
        if not self._takeover:
            self._stream = zlib.decompressobj(-15)
            self.lost = False


class _Direction:
    """Reads the frames of one side."""

    def __init__(self, log: ConversationLog, exchange: Exchange | None, side: int, inflater: _Inflater | None) -> None:
        self._log = log
        self._exchange = exchange
        self._side = side
        self._inflater = inflater
        self._sink = log.sink(exchange, side) if exchange is not None else None
        self._held = b""
        self._seeking = False
        self._frame = 0
        self._at = 0
        # The current frame, and the number of bytes still missing from it: -1 between frames.
        self._left = -1
        self._fin = False
        self._opcode = 0
        self._mask = b""
        self._control = b""
        # The current message; control frames may come between its frames.
        self._message_opcode = 0
        self._compressed = False
        self._n_wire = 0
        self._n_bytes = 0
        self._whole = True
        self._known = True

    def feed(self, data: bytes, frame: int, at: int) -> None:
        self._frame = frame
        self._at = at
        if self._seeking:
            if not self._is_plausible(data):
                return
            self._seeking = False
        if self._held:
            data = self._held + data
            self._held = b""
        pos = 0
        end = len(data)
        while pos < end:
            if self._left < 0:
                n_header = _header_size(data, pos)
                if n_header > end - pos:
                    self._held = data[pos:]
                    return
                if not self._begin_frame(data, pos, n_header):
                    self._lose()
                    return
                pos += n_header
            n = min(self._left, end - pos)
            if n:
                self._take(data[pos : pos + n])
                pos += n
                self._left -= n
            if self._left == 0:
                self._end_frame()

    def gap(self, length: int | None) -> None:
        """Skip missing bytes if they are within one data frame, else search the next frame."""
        if self._left < 0 or length is None or length > self._left or self._opcode >= 8:
            self._lose()
            return
        self._whole = False
        if self._compressed:
            self._lose_window()
        self._n_bytes += length
        if self._mask:
            rotation = length % 4
            self._mask = self._mask[rotation:] + self._mask[:rotation]
        self._left -= length
        if self._left == 0:
            self._end_frame()

    def close(self) -> None:
        if self._left >= 0 or self._message_opcode or self._held:
            self._note("truncated_message", f"the {NAMES[self._side]}'s stream ends within a message")

    def _note(self, code: str, detail: str) -> None:
        self._log.note(code, detail, self._frame)

    def _lose(self) -> None:
        """Lose the position. The current message is not listed."""
        self._held = b""
        self._left = -1
        self._message_opcode = 0
        self._lose_window()
        self._seeking = True

    def _lose_window(self) -> None:
        self._known = False
        if self._inflater is not None:
            self._inflater.lost = True

    def _begin_frame(self, data: bytes, pos: int, n_header: int) -> bool:
        """Read a header. Return False if it is not valid."""
        flags, opcode, masked = data[pos] & 0x70, data[pos] & 0x0F, bool(data[pos + 1] & 0x80)
        length = _payload_length(data, pos)
        if opcode not in _OPCODES or length >> 63 or (opcode >= 8 and (length > CONTROL_MAX or not data[pos] & 0x80)):
            self._note("bad_websocket_frame", f"opcode {opcode}, length {length}, flags 0x{data[pos]:02x}")
            return False
        if masked != (self._side == CLIENT):
            self._note("bad_websocket_mask", f"{'a masked' if masked else 'an unmasked'} frame of the {NAMES[self._side]}")
        self._left = length
        self._opcode = opcode
        self._fin = bool(data[pos] & 0x80)
        self._mask = data[pos + n_header - 4 : pos + n_header] if masked else b""
        self._control = b""
        if opcode >= 8:
            return True
        if (opcode == 0) != (self._message_opcode != 0):
            self._note("bad_websocket_frame", "a continuation of nothing" if opcode == 0 else "a message within a message")
        if opcode or not self._message_opcode:
            self._begin_message(opcode, bool(flags & 0x40))
        if flags & 0x30 or (flags & 0x40 and self._inflater is None):
            self._note("bad_websocket_frame", f"reserved bits 0x{flags:02x} without an extension for them")
        return True

    def _begin_message(self, opcode: int, compressed: bool) -> None:
        self._message_opcode = opcode or 2
        self._n_wire = 0
        self._n_bytes = 0
        self._whole = opcode != 0
        self._compressed = compressed and self._inflater is not None
        self._known = True
        if self._compressed and self._inflater is not None:
            self._inflater.begin_message()
            self._known = not self._inflater.lost

    def _take(self, data: bytes) -> None:
        """Take bytes of a payload."""
        control = self._opcode >= 8
        if self._mask and (control or self._compressed or self._sink is not None):
            data = _unmask(data, self._mask)
        if self._mask:
            rotation = len(data) % 4
            self._mask = self._mask[rotation:] + self._mask[:rotation]
        if control:
            self._control += data
            return
        self._n_wire += len(data)
        if self._compressed:
            self._inflate(data)
        else:
            self._n_bytes += len(data)
            if self._sink is not None and self._whole:
                self._sink(data)

    def _inflate(self, data: bytes) -> None:
        inflater = self._inflater
        if inflater is None or inflater.lost or not self._known:
            return
        try:
            for piece in inflater.inflate(data):
                self._n_bytes += len(piece)
                if self._sink is not None:
                    self._sink(piece)
                n_bytes = self._n_bytes
                if n_bytes > RATIO_FREE and (n_bytes > INFLATED_MAX or n_bytes > RATIO_MAX * self._n_wire):
                    self._note("decompression_bomb", f"a message cut: {self._n_wire} bytes become {n_bytes} and more")
                    self._lose_window()
                    return
        except zlib.error as error:
            self._note("malformed_message", f"permessage-deflate: {error}")
            self._lose_window()

    def _end_frame(self) -> None:
        self._left = -1
        if self._opcode >= 8:
            code = int.from_bytes(self._control[:2], "big") if self._opcode == 8 and len(self._control) >= 2 else None
            self._add(self._opcode, len(self._control), False, True, code)
        elif self._fin:
            if self._compressed:
                self._inflate(b"\0\0\xff\xff")
            length = self._n_bytes if self._known else None
            self._add(self._message_opcode, length, self._compressed, self._whole and self._known, None)
            self._message_opcode = 0

    def _add(self, opcode: int, length: int | None, compressed: bool, complete: bool, close_code: int | None) -> None:
        message = Message(self._exchange, self._side, opcode, length, self._frame, self._at, compressed, complete, close_code)
        self._log.add_message(message)

    def _is_plausible(self, data: bytes) -> bool:
        """Return whether frames can begin at the start of `data`: every header in it is plausible."""
        pos = 0
        for _ in range(_PLAUSIBLE_MAX_HEADERS):
            if _header_size(data, pos) > len(data) - pos:
                return pos > 0
            length = _payload_length(data, pos)
            least = {126: 126, 127: 1 << 16}.get(data[pos + 1] & 0x7F, 0)
            opcode = data[pos] & 0x0F
            if (
                opcode not in _OPCODES
                or data[pos] & (0x30 if self._inflater is not None else 0x70)
                or bool(data[pos + 1] & 0x80) != (self._side == CLIENT)
                or length > (CONTROL_MAX if opcode >= 8 else PLAUSIBLE_MAX)
                or length < least
            ):
                return False
            pos += _header_size(data, pos)
            if length >= len(data) - pos:
                return True
            pos += length
        return True


def _header_size(data: bytes, pos: int) -> int:
    """Return the size of the frame header at `pos` in bytes; 2 if there are fewer than two bytes."""
    if len(data) - pos < 2:
        return 2
    size = data[pos + 1] & 0x7F
    return 2 + (2 if size == 126 else 8 if size == 127 else 0) + (4 if data[pos + 1] & 0x80 else 0)


def _payload_length(data: bytes, pos: int) -> int:
    """Return the payload length from the header at `pos`, which must be complete."""
    size = data[pos + 1] & 0x7F
    if size < 126:
        return size
    return int.from_bytes(data[pos + 2 : pos + (4 if size == 126 else 10)], "big")


def _unmask(data: bytes, mask: bytes) -> bytes:
    """XOR with the mask (RFC 6455 section 5.3), as one number: a loop over bytes would take a hundred times as long."""
    n = len(data)
    key = (mask * (n // 4 + 1))[:n]
    return (int.from_bytes(data, "little") ^ int.from_bytes(key, "little")).to_bytes(n, "little")


class WebSocket:
    """A WebSocket conversation.

    extensions: the elements of the response's Sec-WebSocket-Extensions.
    """

    kind = "websocket"

    def __init__(self, log: ConversationLog, exchange: Exchange | None, extensions: list[str]) -> None:
        takeover: dict[int, bool] | None = None
        for extension in extensions:
            name, *parameters = (part.strip().lower() for part in extension.split(";"))
            if name == "permessage-deflate":
                takeover = {CLIENT: "client_no_context_takeover" not in parameters}
                takeover[SERVER] = "server_no_context_takeover" not in parameters
        self._directions = tuple(
            _Direction(log, exchange, side, None if takeover is None else _Inflater(takeover[side]))
            for side in (CLIENT, SERVER)
        )

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Take the next bytes of one side."""
        self._directions[side].feed(data, frame, at)

    def gap(self, side: int, length: int | None) -> None:
        """Handle missing bytes. length: None if it is not known."""
        self._directions[side].gap(length)

    def close(self) -> None:
        """Handle the end of both sides."""
        for direction in self._directions:
            direction.close()
