"""Reads HTTP/0.9 over QUIC, which test servers speak (ALPN `hq-interop`): a request line in a stream, and the file as answer.

The request is `GET /path` and an end of line; the rest of the stream is the body of the response, without status and fields.
"""

from typing import Final

from analyzer.application.exchange import CLIENT, SERVER, ConversationLog, Exchange, Request, Response
from analyzer.application.header_fields import read_text
from analyzer.codec.registry import registry

LINE_MAX: Final = 1 << 13
"""Maximum bytes of a request line."""

STREAMS_MAX: Final = 1024
"""Maximum number of streams open at one time; beyond it the oldest is dropped."""


class _Stream:
    """A stream.

    line: the request line as far as it came; None after it was read, or where bytes are missing. cut: whether bytes of the
    response are missing.
    """

    __slots__ = ("cut", "ended", "exchange", "line")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.line: bytes | None = b""
        self.cut = False
        self.ended = [False, False]


class Http09:
    """HTTP/0.9 over QUIC (`protocol_reader.StreamReader`)."""

    kind = "http/0.9"

    def __init__(self, log: ConversationLog) -> None:
        self._log = log
        self._streams: dict[int, _Stream] = {}
        self._dropped = -1

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, frame: int, at: int) -> None:
        """Take the next bytes of one role in a stream. end: whether they are the last."""
        found = self._open(stream, frame)
        if found is None:
            return
        if role == CLIENT:
            if found.line is not None:
                self._read_line(found, data, end, frame, at)
        elif not found.ended[SERVER]:
            body = self._response(found.exchange, frame, at).body
            if found.cut:
                body.lose()
            body.feed(data, frame)
            if end:
                body.finish(frame)
        found.ended[role] = found.ended[role] or end
        if all(found.ended):
            del self._streams[stream]

    def gap_stream(self, stream: int, role: int, length: int | None) -> None:
        """Handle missing bytes."""
        found = self._open(stream, 0)
        if found is None:
            return
        if role == CLIENT:
            found.line = None
        else:
            found.cut = True

    def reset_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Handle RESET_STREAM."""
        found = self._streams.pop(stream, None)
        if found is not None:
            found.exchange.reset = registry("http3_error_codes").name(code)
            if found.exchange.response is not None and not found.ended[SERVER]:
                found.exchange.response.body.lose()

    def stop_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Do nothing: what was sent stays."""

    def feed_datagram(self, role: int, data: bytes, frame: int, at: int) -> None:
        """Do nothing: HTTP/0.9 has no datagrams."""

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Ignore data outside of streams."""

    def gap(self, side: int, length: int | None) -> None:
        """Ignore data outside of streams."""

    def close(self) -> None:
        """Handle the end of the connection. Bodies without an end stay incomplete."""
        for stream in self._streams.values():
            if stream.exchange.response is not None and not stream.ended[SERVER]:
                stream.exchange.response.body.lose()
        self._streams.clear()

    def _read_line(self, found: _Stream, data: bytes, end: bool, frame: int, at: int) -> None:
        line = (found.line or b"") + data
        if b"\n" not in line and not end and len(line) < LINE_MAX:
            found.line = line
            return
        found.line = None
        method, _, path = read_text(line[:LINE_MAX].partition(b"\n")[0].rstrip(b"\r")).partition(" ")
        body = self._log.body(found.exchange, CLIENT, [])
        body.finish(frame)
        fields = self._log.keep([], len(line), frame)
        found.exchange.request = Request(method or None, "https", None, path or None, fields, "0.9", frame, at, body)

    def _response(self, exchange: Exchange, frame: int, at: int) -> Response:
        if exchange.response is None:
            exchange.response = Response(None, [], "0.9", frame, at, self._log.body(exchange, SERVER, []))
        return exchange.response

    def _open(self, number: int, frame: int) -> _Stream | None:
        """Return a stream; None if it is not one of requests, or was dropped."""
        found = self._streams.get(number)
        if found is None and not number & 3 and number > self._dropped:
            if len(self._streams) >= STREAMS_MAX:
                self._dropped = next(iter(self._streams))
                self._streams.pop(self._dropped)
                self._log.note("too_many_streams", f"{STREAMS_MAX} streams are open; stream {self._dropped} is given up", frame)
            exchange = Exchange(stream=number)
            self._log.add(exchange, frame)
            found = self._streams[number] = _Stream(exchange)
        return found
