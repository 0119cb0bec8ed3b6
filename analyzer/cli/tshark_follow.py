"""The output of `-z follow,PROTOCOL,FORM,N` of tshark: what both ends of one stream sent, piece by piece.

A piece of TCP is what one segment brought, of UDP a datagram, of TLS and DTLS the data of one record, of QUIC what a packet
added to one of its streams, and of HTTP/2 a frame. Pieces of node 1 are indented by a tab. Streams of TCP and UDP are
numbered as `tcp.stream` and `udp.stream`, sessions of TLS, DTLS and QUIC each from 0 in the order in which they began.
"""

import re
from argparse import Namespace
from base64 import b64encode
from collections.abc import Callable, Sequence

from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import CommandError, Output
from analyzer.engine import Engine, Listener
from analyzer.engine.tcp_data import FollowedConnection
from analyzer.packet.addresses import endpoints

_FORMS = ("ascii", "hex", "raw", "yaml")
_FILTERS = {
    "tcp": "tcp.stream eq {}",
    "udp": "udp.stream eq {}",
    "tls": "tls.stream eq {}",
    "dtls": "dtls.stream eq {}",
    "quic": "quic.connection.number eq {} and quic.stream.stream_id eq {}",
    "http2": "tcp.stream eq {} and http2.streamid eq {}",
}
"""The protocols that can be followed, and the filter with the numbers of a stream."""

_OLD_NAMES = {"ssl": "tls"}
_BORDER = "=" * 67
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?", re.ASCII)
_ROW = 16
_SECOND = 1_000_000_000
_SHOWN = bytes(one if 0x20 <= one < 0x7F or one in b"\r\n" else 0x2E for one in range(256))
_PRINTABLE = bytes(one if 0x20 <= one < 0x7F else 0x2E for one in range(256))

Node = tuple[str, int]
"""An address and a port."""


class Pieces:
    """Writes the pieces of a stream in one form. first, last: which pieces are written, from 1; last is None for all."""

    def __init__(
        self, output: Output, protocol: str, form: str, numbers: Sequence[int], first: int = 1, last: int | None = None
    ) -> None:
        self._output = output
        self._protocol = protocol
        self._form = form
        self._numbers = numbers
        self._first, self._last = first, last
        self._n_pieces = 0
        self._offsets = [0, 0]
        self.begun = False

    def begin(self, nodes: Sequence[Node]) -> None:
        """Write what stands before the pieces."""
        self.begun = True
        if self._form == "yaml":
            self._line("peers:")
            for place, (host, port) in enumerate(nodes):
                for text in (f"  - peer: {place}", f"    host: {host}", f"    port: {port}"):
                    self._line(text)
            self._line("packets:")
            return
        chosen = _FILTERS[self._protocol].format(*self._numbers)
        for text in ("", _BORDER, f"Follow: {self._protocol},{self._form}", f"Filter: {chosen}"):
            self._line(text)
        for place, (host, port) in enumerate(nodes):
            self._line(f"Node {place}: {f'[{host}]' if ':' in host.rstrip(':') else host}:{port}")

    def add(self, node: int, data: bytes, frame: int, at: int) -> None:
        """Write the next piece, of that node."""
        self._n_pieces += 1
        if self._first <= self._n_pieces and (self._last is None or self._n_pieces <= self._last):
            _WRITERS[self._form](self, node, data, frame, at)
        self._offsets[node] += len(data)

    def end(self) -> None:
        """Write what stands behind the pieces."""
        if not self.begun:
            self.begin((("", 0), ("", 0)))
        if self._form != "yaml":
            self._line(_BORDER)
        self._output.flush()

    def _line(self, text: str) -> None:
        self._output.line(text, keep=True)

    def _write_ascii(self, node: int, data: bytes, frame: int, at: int) -> None:
        shown = data.translate(_SHOWN, b"\r" if self._output.terminal else b"")
        self._output.write(b"\t" * node + b"%d\n" % len(data) + shown + b"\n")

    def _write_raw(self, node: int, data: bytes, frame: int, at: int) -> None:
        self._output.write(b"\t" * node + data.hex().encode() + b"\n")

    def _write_hex(self, node: int, data: bytes, frame: int, at: int) -> None:
        offset = self._offsets[node]
        for place in range(0, len(data), _ROW):
            row = data[place : place + _ROW]
            halves = (row[:8].hex(" "), row[8:].hex(" "))
            text = row.translate(_PRINTABLE).decode()
            shown = f"{text[:8]} {text[8:]}" if len(text) >= 8 else text
            shown = shown.removesuffix(" ")  # one space, as tshark does
            self._line("\t" * node + f"{offset + place:08X}  {halves[0]:<23}  {halves[1]:<23}  {shown}")

    def _write_yaml(self, node: int, data: bytes, frame: int, at: int) -> None:
        self._line(f"  - packet: {frame}")
        self._line(f"    peer: {node}")
        self._line(f"    timestamp: {max(at, 0) // _SECOND + max(at, 0) % _SECOND / _SECOND:.9f}")  # a double, as in tshark
        self._line("    data: !!binary |")
        text = b64encode(data).decode()
        for place in range(0, len(text), 76):
            self._line(f"      {text[place : place + 76]}")


_WRITERS: dict[str, Callable[[Pieces, int, bytes, int, int], None]] = {
    "ascii": Pieces._write_ascii,
    "hex": Pieces._write_hex,
    "raw": Pieces._write_raw,
    "yaml": Pieces._write_yaml,
}


class _TcpPieces(Listener):
    """Takes the bytes of a connection, as a `TcpDataReader`. Node 0 opened it. A gap is told before what follows it."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._missing = [0, 0]

    def begin(self, keys: tuple[bytes, bytes], frame: int) -> None:
        """See `TcpDataReader.begin`."""
        self._pieces.begin(endpoints(keys[0]))

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """See `TcpDataReader.feed`."""
        if not data:
            return
        if self._missing[side]:
            self._pieces.add(side, f"[{self._missing[side]} bytes missing in capture file]\0".encode(), 0, 0)
            self._missing[side] = 0
        self._pieces.add(side, data, frame, at)

    def lose(self, side: int, n_bytes: int) -> None:
        """See `TcpDataReader.lose`."""
        self._missing[side] += n_bytes

    def finish(self, reason: str) -> None:
        """See `TcpDataReader.finish`."""
        self.done = True


def follow_tap(words: Sequence[str], options: Namespace) -> Callable[[Output], int]:
    """Return what writes the stream for the words behind `follow`. Raises CommandError for what they cannot be."""
    protocol = _OLD_NAMES.get(words[0], words[0]) if words else ""
    n_numbers = _FILTERS.get(protocol, "").count("{}")
    numbers = [_number(word) for word in words[2 : 2 + n_numbers]]
    rest = words[2 + n_numbers :]
    span = _RANGE.fullmatch(rest[0]) if len(rest) == 1 else None
    wrong = len(rest) > 1 or (rest and span is None) or words[1:2] == [] or words[1] not in _FORMS
    if not n_numbers or len(numbers) < n_numbers or None in numbers or wrong:
        raise CommandError(
            "-z follow: say follow,tcp|udp|tls|dtls,ascii|hex|raw|yaml,N or follow,quic|http2,ascii|hex|raw|yaml,N,STREAM"
        )
    first, last = (1, None) if span is None else (int(span[1]), int(span[2] or span[1]))
    chosen = [number for number in numbers if number is not None]

    def write(output: Output) -> int:
        capture_run = CaptureRun(options.captures, output)
        pieces = Pieces(output, protocol, words[1], chosen, first, last)
        if protocol == "udp":
            from analyzer.cli.tshark_follow_sources import follow_datagrams

            follow_datagrams(options, output, capture_run, pieces, chosen[0])
        elif protocol == "tcp":
            reader = _TcpPieces(pieces)
            followed = FollowedConnection(chosen[0], reader)
            keys = read_keys(options, capture_run)
            engine = Engine(places=False, fields=False, reads_data=False, dispatches=followed.dispatcher(), **keys)
            capture_run.run(engine, [reader])
        else:
            from analyzer.cli.tshark_follow_sources import follow_sessions

            follow_sessions(protocol, chosen, pieces, capture_run, read_keys(options, capture_run))
        pieces.end()
        return capture_run.status()

    return write


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
