"""The output of `-z follow,tcp|tls,FORM,N` of tshark: what both ends of one stream sent, piece by piece.

A piece of TCP is what one segment brought, a piece of TLS the data of one record. Pieces of node 1 are indented by a tab.
Streams of TCP are numbered as `tcp.stream`, those of TLS as our sessions.
"""

import re
from argparse import Namespace
from base64 import b64encode
from collections.abc import Callable, Sequence

from analyzer.analysis.missing_data import MissingData
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import CommandError, Output
from analyzer.engine import Engine, Listener
from analyzer.engine.data_streams import DataReader, DataStreams
from analyzer.engine.tcp_data import FollowedConnection
from analyzer.packet.addresses import endpoints
from analyzer.tls.events import Event, HandshakeMessage

_FORMS = ("ascii", "hex", "raw", "yaml")
_PROTOCOLS = {"tcp": "tcp.stream", "tls": "tls.stream", "ssl": "tls.stream"}
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

    def __init__(self, output: Output, protocol: str, form: str, number: int, first: int = 1, last: int | None = None) -> None:
        self._output = output
        self._protocol = protocol
        self._form = form
        self._number = number
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
        for text in ("", _BORDER, f"Follow: {self._protocol},{self._form}",
                     f"Filter: {_PROTOCOLS[self._protocol]} eq {self._number}"):  # fmt: skip
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
    """Takes the bytes of a connection, as a `TcpDataReader`. Node 0 opened it."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces

    def begin(self, keys: tuple[bytes, bytes], frame: int) -> None:
        """See `TcpDataReader.begin`."""
        self._pieces.begin(endpoints(keys[0]))

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """See `TcpDataReader.feed`."""
        if data:
            self._pieces.add(side, data, frame, at)

    def lose(self, side: int, n_bytes: int) -> None:
        """See `TcpDataReader.lose`."""
        self._pieces.add(side, f"[{n_bytes} bytes missing in capture file]\0".encode(), 0, 0)

    def finish(self, reason: str) -> None:
        """See `TcpDataReader.finish`."""
        self.done = True


class _TlsPieces(DataStreams):
    """Takes the data of a session. Node 0 is who first sent something protected that was decrypted."""

    def __init__(self, number: int, pieces: Pieces) -> None:
        super().__init__()
        self._number = number
        self._pieces = pieces
        self._first: int | None = None

    def note(self, event: Event) -> None:
        """See `DataStreams.note`."""
        if event.session != self._number or self._first is not None or not isinstance(event, HandshakeMessage):
            return
        if event.encrypted and len(event.raw) > 0:
            self._first = event.role
            nodes = endpoints(self.flows[event.session].key)
            self._pieces.begin((nodes[event.role], nodes[1 - event.role]))

    def open(self, session: int, alpn: bytes | None, missing: MissingData) -> DataReader | None:
        """See `DataStreams.open`."""
        if session != self._number:
            return None
        return _Records(self._pieces, endpoints(self.flows[session].key), self._first, missing)


class _Records(DataReader):
    """Passes on the records of a session. nodes: client and server. first: the role of node 0; None if data comes first."""

    def __init__(self, pieces: Pieces, nodes: tuple[Node, Node], first: int | None, missing: MissingData) -> None:
        super().__init__(missing)
        self._pieces = pieces
        self._nodes = nodes
        self._first = first

    def feed(self, role: int, data: bytes, frame: int, at: int) -> None:
        """See `DataReader.feed`."""
        if not data:
            return
        first = self._first = role if self._first is None else self._first
        if not self._pieces.begun:
            self._pieces.begin((self._nodes[first], self._nodes[1 - first]))
        self._pieces.add(int(role != first), data, frame, at)


def follow_tap(words: Sequence[str], options: Namespace) -> Callable[[Output], int]:
    """Return what writes the stream for the words behind `follow`. Raises CommandError for what they cannot be."""
    known = len(words) in (3, 4) and words[0] in _PROTOCOLS and words[1] in _FORMS and _number(words[2]) is not None
    span = _RANGE.fullmatch(words[3]) if known and len(words) == 4 else None
    if not known or (len(words) == 4 and span is None):
        raise CommandError(
            "-z follow: say follow,tcp or follow,tls, then ascii, hex, raw or yaml, and the number of the stream"
        )
    first, last = (1, None) if span is None else (int(span[1]), int(span[2] or span[1]))
    number = int(words[2])
    protocol = "tls" if words[0] == "ssl" else words[0]

    def write(output: Output) -> int:
        capture_run = CaptureRun(options.captures, output)
        keys = read_keys(options, capture_run)
        pieces = Pieces(output, protocol, words[1], number, first, last)
        if protocol == "tcp":
            reader = _TcpPieces(pieces)
            followed = FollowedConnection(number, reader)
            engine = Engine(places=False, fields=False, reads_data=False, dispatches=followed.dispatcher(), **keys)
            capture_run.run(engine, [reader])
        else:
            engine = Engine(detailed=True, places=False, reads_data=False, **keys)
            capture_run.run(engine, [_TlsPieces(number, pieces)])
        pieces.end()
        return capture_run.status()

    return write


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
