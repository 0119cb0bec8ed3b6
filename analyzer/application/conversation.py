"""One conversation inside a decrypted stream: which protocol it is, and the reader of that protocol.

The protocol is what ALPN says (RFC 7301). Without ALPN it is told by its first bytes: HTTP/2's preface, a request line, or
where the client's first bytes are missing, a status line or a SETTINGS frame from the server. What comes before that is clear
is held, and read afterwards in the order in which it came. This module is compiled (see setup.cfg) and runs the same
uncompiled.
"""

import re
from functools import cache
from typing import Any, Final

import cython

from analyzer.application.exchange import CLIENT, SERVER, ConversationLog, Exchange, Finding, Message, OnBody
from analyzer.application.header_fields import read_request_line, read_text
from analyzer.application.http1 import Http1
from analyzer.application.http1_fast_path import plain_request_line
from analyzer.application.http2_frames import PREFACE
from analyzer.application.protocol_reader import Reader, UnknownProtocol

UNDECIDED_MAX: Final = 1 << 14
"""Bytes of one side that are held while its protocol is unknown: a long request line."""

UNDECIDED_PIECES_MAX: Final = 1 << 12
"""Pieces that are held: an empty one costs memory too."""

_BY_ALPN: Final = {"http/1.0": "http/1.1", "http/1.1": "http/1.1", "h2": "h2", "h2c": "h2"}
_REQUEST_START: Final = re.compile(rb"[\r\n]*(?:[A-Z][A-Z-]{0,23}(?: (?:[\x21-\xff][\x20-\xff]*)?\r?)?)?\Z")
_STATUS_START: Final = re.compile(rb"HTTP/1\.[01] [1-5]\d\d")
_SETTINGS_START: Final = re.compile(rb"\x00[\x00-\x01][\x00-\xff]\x04\x00\x00{4}")


class Conversation:
    """Both directions of one connection's application data; side 0 is the client, 1 the server.

    alpn: the protocol that the handshake chose, or None.
    scheme: of requests that do not say theirs.
    hashing: whether bodies are hashed; decoded and counted they are in any case.
    on_body: hears of every piece of every decoded body.
    """

    __slots__ = ("_held", "_http1", "_log", "_n_held", "_over", "_reader")

    def __init__(
        self, alpn: str | None = None, *, scheme: str = "https", hashing: bool = True, on_body: OnBody | None = None
    ) -> None:
        self._log = ConversationLog(scheme, hashing, on_body)
        self._held: list[tuple[int, bytes | None, int, int]] = []
        self._n_held = 0
        self._reader: Reader | None = None
        # The same reader where it is that of HTTP/1, whose type C knows.
        self._http1: Http1 | None = None
        # The kind, once nothing more is read.
        self._over: str | None = None
        if alpn is not None:
            self._read_as(_BY_ALPN.get(alpn, "bytes"))

    @property
    def kind(self) -> str:
        """`http/1.1`, `h2`, `websocket` or `bytes`; while that is unknown, `bytes`."""
        if self._over is not None:
            return self._over
        return "bytes" if self._reader is None else self._reader.kind

    @property
    def exchanges(self) -> list[Exchange]:
        """In order of their requests; one without a request stands where its response came."""
        return self._log.exchanges

    @property
    def messages(self) -> list[Message]:
        """The messages of WebSockets, in order of completion."""
        return self._log.messages

    @property
    def findings(self) -> list[Finding]:
        """What was wrong, in the order in which it showed."""
        return self._log.findings

    def record(self) -> list[dict[str, Any]]:
        """The session record's `http`."""
        return [exchange.record() for exchange in self._log.exchanges]

    def feed(self, side: cython.int, data: bytes, frame: cython.longlong, at: cython.longlong) -> None:
        """Take the next bytes of one side; `frame` made them available at the time `at`."""
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
        """Hear that bytes of one side are missing here; None: nobody knows how many. `why` changes nothing."""
        if self._reader is not None:
            self._reader.gap(side, length)
        elif self._over is None:
            self._hold(side, None, length or 0, 0)

    def close(self, at: cython.longlong) -> None:
        """Hear that nothing more comes."""
        if self._over is not None:
            return
        if self._reader is None:
            self._decide(self._judge(final=True) or "bytes")
        reader, self._reader, self._http1 = self._reader, None, None
        if reader is not None:
            reader.close()
            self._over = reader.kind

    def _read_as(self, kind: str) -> None:
        if kind == "http/1.1":
            self._reader = self._http1 = Http1(self._log)
        elif kind == "h2":
            self._reader = _http2()(self._log)
        else:
            self._reader = UnknownProtocol()

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
        """The kind, as far as what is held shows it. `final`: nothing more is waited for."""
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
        """The first bytes of a side, or None if the first ones are missing."""
        start = b""
        for at_side, data, _, _ in self._held:
            if at_side == side:
                if data is None:
                    return start or None
                start += data
        return start


@cache
def _http2() -> Any:
    """The reader of HTTP/2; its room is entered with the first conversation in it."""
    from analyzer.application.http2 import Http2

    return Http2
