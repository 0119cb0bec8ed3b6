"""Finds TLS inside HTTP/2: each stream of a decrypted session whose method is CONNECT is a connection (RFC 9113 section 8.5).

A proxy is asked for a tunnel with its first request. So the first field section of the client decides, without a table of
HPACK: the method is not in the static table (RFC 7541 appendix A), and is a literal there. Only where that is CONNECT, the
frames are read from the beginning.
"""

from typing import Final

from analyzer.analysis.preamble import authority, entry
from analyzer.application.exchange import ConversationLog
from analyzer.application.http2 import Http2
from analyzer.application.http2_frames import HEADERS, PREFACE
from analyzer.application.http2_sections import Section
from analyzer.engine.inner_tunnel import NO_TIME, Begin, Tunnel

MAX_HELD: Final = 1 << 16
"""Bytes that are kept until the first field section of the client. Before it come settings and windows."""

MAX_TUNNELS: Final = 256
"""Tunnels of one session at a time, as many as the streams that servers usually allow."""

# As a string of HPACK: its length, and its characters as they are or in Huffman code (RFC 7541 appendix B).
_METHODS: Final = (b"\x07CONNECT", b"\x87\xbd\xab\x4e\x9c\x17\xb7\xff")
_FRAME: Final = 9


class InnerHttp2:
    """The data of one session in HTTP/2, until it is known to carry no tunnel."""

    __slots__ = ("_begin", "_first", "_held", "_n_held", "_reader")

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._first = FirstSection()
        self._held: list[tuple[int, bytes, int, int]] = []
        self._n_held = 0
        self._reader: _Tunnels | None = None

    def feed(self, role: int, data: bytes, frame: int, at: int) -> bool:
        """Take the next bytes of a role. Return whether more is wanted."""
        if self._reader is not None:
            self._reader.feed(role, data, frame, at)
            return True
        self._held.append((role, data, frame, at))
        self._n_held += len(data)
        section = self._first.feed(data) if role == 0 else None
        if section is None:
            return self._n_held <= MAX_HELD and len(self._held) <= MAX_HELD // _FRAME
        if not any(method in section for method in _METHODS):
            return False
        self._reader = _Tunnels(self._begin)
        for earlier in self._held:
            self._reader.feed(*earlier)
        self._held = []
        return True

    def miss(self, role: int) -> bool:
        """Note that bytes of a role are missing: which frames are where is not known any more."""
        if self._reader is not None:
            self._reader.lose_tunnels(role)
        self._reader = None
        return False

    def close(self, at: int) -> None:
        """End all tunnels, with the session around them."""
        if self._reader is not None:
            self._reader.end_tunnels(at)


class _Tunnels(Http2):
    """Reads HTTP/2, and passes what CONNECT carries to a stream of its own."""

    def __init__(self, begin: Begin) -> None:
        Http2.__init__(self, ConversationLog("https", False, None))
        self._begin = begin
        self._tunnels: dict[int, Tunnel] = {}
        self._early: dict[int, list[tuple[bytes, int, int]]] = {}  # by stream, what a client sent before it had the answer
        self._n_early = 0

    def read_data(self, side: int, stream: int, data: bytes) -> None:
        tunnel, direction = self._tunnels.get(stream), self._directions[side]
        if side == 0 and stream in self._early and self._n_early + len(data) <= MAX_HELD:
            self._n_early += len(data)
            self._early[stream].append((data, direction.frame, direction.at))
        if tunnel is not None and not tunnel.feed(side, data, direction.frame, direction.at):
            self._tunnels.pop(stream).close(direction.at)
        Http2.read_data(self, side, stream, data)

    def lose_tunnels(self, role: int) -> None:
        """Note that bytes of a role are missing in all tunnels, and that nothing that follows is read."""
        for tunnel in self._tunnels.values():
            tunnel.miss(role)
        self.end_tunnels(NO_TIME)

    def end_tunnels(self, at: int) -> None:
        """End all tunnels."""
        for tunnel in self._tunnels.values():
            tunnel.close(at)
        self._tunnels.clear()

    def _end_section(self, side: int, section: Section) -> None:
        Http2._end_section(self, side, section)
        found = self._streams.get(section.stream)
        exchange = None if found is None else found.exchange
        if exchange is None or exchange.request is None or exchange.request.method != "CONNECT":
            return
        if exchange.protocol is not None or section.stream in self._tunnels or len(self._tunnels) >= MAX_TUNNELS:
            return
        if exchange.response is None:
            if len(self._early) < MAX_TUNNELS:
                self._early.setdefault(section.stream, [])
            return
        early = self._take_early(section.stream)
        if exchange.response.status is not None and exchange.response.status // 100 == 2:
            direction = self._directions[side]
            tunnel = self._begin(direction.frame, direction.at)
            asked = entry("http_connect", version="2", status=exchange.response.status)
            asked["bytes"] = {"client": 0, "server": 0}
            if exchange.request.authority is not None:
                asked["target"] = authority(exchange.request.authority.encode("utf-8", "surrogateescape"))
            tunnel.carrier.before.append(asked)
            if all(tunnel.feed(0, *piece) for piece in early):
                self._tunnels[section.stream] = tunnel
            else:
                tunnel.close(direction.at)

    def _end_side(self, number: int, stream: object, side: int) -> None:
        Http2._end_side(self, number, stream, side)  # type: ignore[arg-type]
        if number not in self._streams:
            self._take_early(number)
            tunnel = self._tunnels.pop(number, None)
            if tunnel is not None:
                tunnel.close(self._directions[side].at)

    def _take_early(self, number: int) -> list[tuple[bytes, int, int]]:
        early = self._early.pop(number, [])
        self._n_early -= sum(len(data) for data, _, _ in early)
        return early


class FirstSection:
    """Finds the payload of the first HEADERS frame of a client. Each frame before it is looked at once."""

    __slots__ = ("_bytes", "_pos")

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._pos = len(PREFACE)

    def feed(self, data: bytes) -> bytes | None:
        """Take the next bytes. Return that payload; None before it is whole; empty if these bytes are not HTTP/2."""
        client = self._bytes
        client += data
        if not client.startswith(PREFACE):
            return None if PREFACE.startswith(client) else b""
        while len(client) - self._pos >= _FRAME:
            length = int.from_bytes(client[self._pos : self._pos + 3], "big")
            begin = self._pos + _FRAME
            if client[self._pos + 3] == HEADERS:
                return bytes(client[begin : begin + length]) if len(client) - begin >= length else None
            self._pos = begin + length
        return None
