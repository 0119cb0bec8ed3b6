"""Finds the protocol of one conversation inside a decrypted stream, and passes the data to its reader.

ALPN names the protocol (RFC 7301). Without ALPN the first bytes decide: HTTP/2's preface, or a request line. If the client's
first bytes are missing, a status line or a SETTINGS frame from the server decides. Data that arrives before the protocol is
known is held, and read afterwards in the order of arrival.

A QUIC connection has streams in place of two directions. Its data comes by `feed_stream` and the like, never by `feed`; without
ALPN its streams decide (`undecided_streams`).
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from analyzer.application.exchange import CLIENT, SERVER, ConversationLog, Exchange, Finding, Message, OnBody
from analyzer.application.header_fields import read_request_line, read_text
from analyzer.application.http1 import Http1
from analyzer.application.http1_fast_path import plain_request_line
from analyzer.application.http2_frames import PREFACE
from analyzer.application.protocol_reader import Reader, StreamReader, UnknownProtocol
from analyzer.tls.quic.stream_sink import StreamSink

if TYPE_CHECKING:
    import cython

    from analyzer.application.dns_message import DnsMessage

UNDECIDED_MAX: Final = 1 << 14
"""Maximum number of bytes of one side that are held while its protocol is unknown: a long request line."""

UNDECIDED_PIECES_MAX: Final = 1 << 12
"""Maximum number of pieces that are held: an empty piece needs memory too."""

_BY_ALPN: Final = {"http/1.0": "http/1.1", "http/1.1": "http/1.1", "h2": "h2", "h2c": "h2"}
_STREAMS_BY_ALPN: Final = re.compile(
    r"(?P<h3>h3(?:-(?:2[7-9]|3[0-4]))?)\Z|(?P<doq>doq(?:-i\d\d)?)\Z|(?P<hq>hq-(?:interop|2[7-9]|3[0-4]))\Z"
)
"""The names of protocols over QUIC, with those of their drafts."""

_STREAM_READERS: Final = {
    "h3": ("http3", "Http3"),
    "hq": ("http09", "Http09"),
    "doq": ("doq", "Doq"),
    "undecided": ("undecided_streams", "UndecidedStreams"),
}
_REQUEST_START: Final = re.compile(rb"[\r\n]*(?:[A-Z][A-Z-]{0,23}(?: (?:[\x21-\xff][\x20-\xff]*)?\r?)?)?\Z")
_STATUS_START: Final = re.compile(rb"HTTP/1\.[01] [1-5]\d\d")
_SETTINGS_START: Final = re.compile(rb"\x00[\x00-\x01][\x00-\xff]\x04\x00\x00{4}")


class Conversation(StreamSink):
    """Both directions of one connection's application data; side 0 is the client, 1 the server.

    alpn: the protocol that the handshake negotiated, or None.
    scheme: for requests that do not name their scheme.
    hashing: whether bodies are hashed; they are decoded and counted in any case.
    on_body: called with every piece of every decoded body.
    """

    __slots__ = ("_direct", "_held", "_http1", "_log", "_n_held", "_over", "_reader", "_streams")

    def __init__(
        self, alpn: str | None = None, *, scheme: str = "https", hashing: bool = True, on_body: OnBody | None = None
    ) -> None:
        self._log = ConversationLog(scheme, hashing, on_body)
        self._held: list[tuple[int, bytes | None, int, int]] = []
        self._n_held = 0
        self._reader: Reader | None = None
        # The same reader if it reads HTTP/1; its type is known to C.
        self._http1: Http1 | None = None
        # The same reader if it reads streams.
        self._streams: StreamReader | None = None
        # The same if it can be called as a C function.
        self._direct: StreamSink | None = None
        # The kind, after the last data was read.
        self._over: str | None = None
        if alpn is not None:
            self._read_as(stream_protocol(alpn) or _BY_ALPN.get(alpn, "bytes"))

    @property
    def kind(self) -> str:
        """`http/1.1`, `h2`, `h3`, `http/0.9`, `doq`, `websocket` or `bytes`; `bytes` while it is not known."""
        if self._over is not None:
            return self._over
        return "bytes" if self._reader is None else self._reader.kind

    @property
    def exchanges(self) -> list[Exchange]:
        """The exchanges in the order of their requests. One without a request is at the place of its response."""
        return self._log.exchanges

    @property
    def messages(self) -> list[Message]:
        """The messages of WebSockets, in order of completion."""
        return self._log.messages

    @property
    def dns(self) -> list[DnsMessage] | None:
        """The messages of DNS over QUIC, in order of completion; None if another protocol is read."""
        return self._log.dns

    @property
    def findings(self) -> list[Finding]:
        """The findings, in the order in which they were found."""
        return self._log.findings

    def record(self) -> list[dict[str, Any]]:
        """Return the session record's `http`."""
        return [exchange.record() for exchange in self._log.exchanges]

    def feed(self, side: cython.int, data: bytes, frame: cython.longlong, at: cython.longlong) -> None:
        """Take the next bytes of one side, which `frame` made available at the time `at`."""
        if self._http1 is not None:
            self._http1.feed(side, data, frame, at)
        elif self._reader is not None:
            self._reader.feed(side, data, frame, at)
        elif self._over is not None or not data:
            pass
        elif side == CLIENT and not self._held and plain_request_line(data, len(data)) > 0:
            self._reader = self._http1 = Http1(self._log)
            self._http1.feed(side, data, frame, at)
        else:
            self._hold(side, data, frame, at)

    def gap(self, side: int, length: int | None, why: str | None = None) -> None:
        """Handle missing bytes of one side. length: None if it is not known. `why` is ignored."""
        if self._reader is not None:
            self._reader.gap(side, length)
        elif self._over is None:
            self._hold(side, None, length or 0, 0)

    def feed_stream(
        self,
        stream: cython.longlong,
        role: cython.int,
        data: bytes,
        end: cython.bint,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take the next bytes of one role in a QUIC stream. end: whether they are the last; then there may be none."""
        if self._direct is not None:
            self._direct.feed_stream(stream, role, data, end, frame, at)
        elif self._over is None:
            self._stream_reader().feed_stream(stream, role, data, end, frame, at)

    def gap_stream(self, stream: int, role: int, length: int | None, why: str | None = None) -> None:
        """Handle missing bytes of one role in a stream. length: None if it is not known. `why` is ignored."""
        if self._over is None:
            self._stream_reader().gap_stream(stream, role, length)

    def reset_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Handle RESET_STREAM of the sender `role`. code: the application's error code."""
        if self._over is None:
            self._stream_reader().reset_stream(stream, role, code, frame, at)

    def stop_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """Handle STOP_SENDING by `role`, which reads no more of the stream."""
        if self._over is None:
            self._stream_reader().stop_stream(stream, role, code, frame, at)

    def feed_datagram(self, role: int, data: bytes, frame: int, at: int) -> None:
        """Take a QUIC datagram (RFC 9221)."""
        if self._over is None:
            self._stream_reader().feed_datagram(role, data, frame, at)

    def close(self, at: cython.longlong) -> None:
        """Handle the end of both sides."""
        if self._over is not None:
            return
        if self._reader is None:
            self._decide(self._judge(final=True) or "bytes")
        reader, self._reader, self._http1, self._streams = self._reader, None, None, None
        self._direct = None
        if reader is not None:
            reader.close()
            self._over = reader.kind

    def _read_as(self, kind: str) -> None:
        if kind == "http/1.1":
            self._reader = self._http1 = Http1(self._log)
        elif kind == "h2":
            self._reader = _http2()(self._log)
        elif kind in _STREAM_READERS:
            self._reader = self._streams = _stream_reader(kind)(self._log)
            self._direct = self._streams if isinstance(self._streams, StreamSink) else None
        else:
            self._reader = self._streams = UnknownProtocol()

    def _stream_reader(self) -> Any:
        """Return the reader of streams. It is new where none was needed, or where the protocol has no streams."""
        if self._streams is None:
            undecided = self._reader is None
            self._reader = self._streams = _stream_reader("undecided")(self._log) if undecided else UnknownProtocol()
            self._http1 = None
        return self._streams

    def _hold(self, side: int, data: bytes | None, frame: int, at: int) -> None:
        self._held.append((side, data, frame, at))
        self._n_held += len(data or b"")
        final = self._n_held > 2 * UNDECIDED_MAX or len(self._held) > UNDECIDED_PIECES_MAX
        kind = self._judge(final) or ("bytes" if final else None)
        if kind is not None:
            self._decide(kind)

    def _decide(self, kind: str) -> None:
        self._read_as(kind)
        reader = self._reader
        assert reader is not None
        held, self._held = self._held, []
        for side, data, frame, at in held:
            if data is None:
                reader.gap(side, frame or None)
            else:
                reader.feed(side, data, frame, at)

    def _judge(self, final: bool) -> str | None:
        """Return the kind, as far as the held data shows it. `final`: no more data is expected."""
        client, server = self._start(CLIENT), self._start(SERVER)
        if client is not None and client:
            if client.startswith(PREFACE):
                return "h2"
            line, newline, _ = client.lstrip(b"\r\n").partition(b"\n")
            if newline and read_request_line(read_text(line).rstrip("\r")) is not None:
                return "http/1.1"
            possible = PREFACE.startswith(client) or (not newline and _REQUEST_START.match(client) is not None)
            return None if possible and len(client) < UNDECIDED_MAX and not final else "bytes"
        if server:
            if _STATUS_START.match(server) is not None:
                return "http/1.1" if final or client is None else None
            if _SETTINGS_START.match(server) is not None:
                return "h2" if final or client is None else None
            return None if len(server) < 13 and not final else "bytes"
        return None

    def _start(self, side: int) -> bytes | None:
        """Return the first bytes of a side; None if the first ones are missing."""
        start = b""
        for at_side, data, _, _ in self._held:
            if at_side == side:
                if data is None:
                    return start or None
                start += data
        return start


def stream_protocol(alpn: str) -> str | None:
    """Return which protocol over QUIC a name of ALPN means: `h3`, `hq`, `doq`; None for one whose streams are not read."""
    found = _STREAMS_BY_ALPN.match(alpn)
    return None if found is None else found.lastgroup


@cache
def _http2() -> Any:
    """Return the class that reads HTTP/2. Its module is imported with the first conversation in HTTP/2."""
    from analyzer.application.http2 import Http2

    return Http2


@cache
def _stream_reader(kind: str) -> Any:
    """Return the class that reads the streams of a protocol. Its module is imported with the first conversation in it."""
    module, name = _STREAM_READERS[kind]
    return getattr(import_module(f"analyzer.application.{module}"), name)
