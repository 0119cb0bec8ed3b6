"""Where `-z follow` takes the pieces of a stream from: datagrams, the data of sessions, the frames of HTTP/2.

The pieces are those of tshark, but for bodies of gRPC, which it leaves out. In HTTP/2 a header section is text, `name: value`
in each line; the content of all DATA frames is one piece without its content codings, when the stream ends; any other frame is
there with its header.
"""

from argparse import Namespace
from collections.abc import Sequence

from analyzer.analysis.missing_data import MissingData
from analyzer.application import http2_frames as frames
from analyzer.application.content_codings import CODINGS_MAX, KNOWN, Stack
from analyzer.application.header_fields import content_codings
from analyzer.application.header_fields import index as index_of
from analyzer.application.http2_sections import SECTION_FRAMES, FieldSections
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.frame_reading import FrameReading, View
from analyzer.cli.key_files import Keys
from analyzer.cli.output import Output
from analyzer.cli.tshark_follow import Node, Pieces
from analyzer.codec.errors import ParseError
from analyzer.engine import Engine
from analyzer.engine.data_streams import DataReader, DataStreams
from analyzer.engine.tcp_data import FollowedConnection
from analyzer.filters.field_table import known_field
from analyzer.filters.message_values import is_of_dtls
from analyzer.flows.flow import CLIENT, TCP, UDP, Flow
from analyzer.packet.addresses import endpoints
from analyzer.packet.layer_places import KINDS
from analyzer.tls.events import Event, HandshakeMessage, SessionBegan

MAX_BODY = 1 << 26
"""Bytes of a body of HTTP/2 that are held, and bytes that it may have without its content codings."""

_PARTIAL = 206
_NO_STREAM = -1
_UDP, _ICMP, _ICMPV6 = (KINDS.index(name) for name in ("udp", "icmp", "icmpv6"))


def follow_datagrams(options: Namespace, output: Output, capture_run: CaptureRun, pieces: Pieces, number: int) -> None:
    """Read the captures, and write the payloads of the datagrams with that `udp.stream`. Node 0 sent the first one."""
    wanted = [known_field(name) for name in ("udp.stream", "udp.payload")]
    nodes: list[Node] = []

    def take(view: View) -> None:
        streams = [] if view.values is None else list(view.values.values(wanted[0]))
        layers = view.layers
        if view.values is None or number not in streams or layers.has(_ICMP) or layers.has(_ICMPV6):
            return  # what an error quotes was sent before
        place = streams.index(number)
        headers = [index for index in range(layers.count) if layers.kind(index) == _UDP]
        sender, receiver = endpoints(layers.key(headers[place]) if place < len(headers) else layers.packet.key())
        if not nodes:
            nodes.extend((sender, receiver))
            pieces.begin(nodes)
        payloads = view.values.values(wanted[1])
        for payload in payloads[place : place + 1] if len(payloads) == len(streams) else payloads[-1:]:
            if isinstance(payload, bytes) and payload:
                pieces.add(int(sender != nodes[0]), payload, view.frame.number, view.frame.at)

    FrameReading(options, output, [None], wanted).run(capture_run, take)


def follow_sessions(protocol: str, numbers: Sequence[int], pieces: Pieces, capture_run: CaptureRun, keys: Keys) -> None:
    """Read the captures, and write what one session carried.

    protocol: tls, dtls, quic or http2. numbers: of the session among those of its protocol, and for quic of the stream; for
    http2 of the TCP connection and of the stream.
    """
    if protocol == "http2":
        reader = Http2Pieces(pieces, numbers[1])
        followed = FollowedConnection(numbers[0], reader)
        dispatches = followed.dispatcher()
        engine = Engine(detailed=True, places=False, fields=False, reads_data=False, dispatches=dispatches, **keys)
        capture_run.run(engine, [reader])
        return
    listener = SessionPieces(protocol, numbers[0], numbers[1] if protocol == "quic" else _NO_STREAM, pieces)
    capture_run.run(Engine(detailed=True, places=False, reads_data=False, **keys), [listener])


class SessionPieces(DataStreams):
    """Takes the data of a session. Node 0 first sent something protected that was decrypted; in QUIC it is the client."""

    def __init__(self, protocol: str, number: int, stream: int, pieces: Pieces) -> None:
        super().__init__()
        self._protocol = protocol
        self._left = number + 1  # sessions of the protocol that begin before ours is found, and ours
        self._session: int | None = None
        self._stream = stream
        self._pieces = pieces
        self._first: int | None = CLIENT if protocol == "quic" else None
        self._seen: set[int] = set()

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`. Over TCP all sessions are those of TLS; over UDP the first message tells QUIC from DTLS."""
        for event in events:
            began = event.flow if isinstance(event, SessionBegan) else None
            if began is not None and began.protocol == UDP:
                self._seen.add(event.session)
            elif began is not None and began.protocol == TCP:
                self._count(event.session, "tls")
            elif event.session in self._seen and isinstance(event, HandshakeMessage):
                self._seen.discard(event.session)
                self._count(event.session, "dtls" if is_of_dtls(event) else "quic")
        super().take(events)

    def _count(self, session: int, protocol: str) -> None:
        if protocol == self._protocol:
            self._left -= 1
            if not self._left:
                self._session = session

    def note(self, event: Event) -> None:
        """See `DataStreams.note`."""
        if self._protocol == "quic" or event.session != self._session or self._pieces.begun:
            return
        if isinstance(event, HandshakeMessage) and event.encrypted and len(event.raw) > 0:
            self._first = event.role
            nodes = endpoints(self.flows[event.session].key)
            self._pieces.begin((nodes[event.role], nodes[1 - event.role]))

    def open(self, session: int, alpn: bytes | None, missing: MissingData) -> DataReader | None:
        """See `DataStreams.open`."""
        if session != self._session:
            return None
        return _Records(self._pieces, endpoints(self.flows[session].key), self._first, self._stream, missing)


class _Records(DataReader):
    """Passes on the records of a session. nodes: client and server. first: the role of node 0; None if data comes first."""

    def __init__(self, pieces: Pieces, nodes: tuple[Node, Node], first: int | None, stream: int, missing: MissingData) -> None:
        super().__init__(missing)
        self._pieces = pieces
        self._nodes = nodes
        self._first = first
        self._stream = stream

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, frame: int, at: int) -> None:
        """See `DataReader.feed_stream`."""
        if stream == self._stream:
            self._add(role, data, frame, at)

    def feed(self, role: int, data: bytes, frame: int, at: int) -> None:
        """See `DataReader.feed`."""
        if self._stream == _NO_STREAM:
            self._add(role, data, frame, at)

    def _add(self, role: int, data: bytes, frame: int, at: int) -> None:
        if not data:
            return
        first = self._first = role if self._first is None else self._first
        if not self._pieces.begun:
            self._pieces.begin((self._nodes[first], self._nodes[1 - first]))
        self._pieces.add(int(role != first), data, frame, at)


class Http2Pieces(DataStreams):
    """Takes what a TCP connection carries, decrypted or not, and writes the frames of one stream of HTTP/2.

    Node 0 sent the first of them.
    """

    def __init__(self, pieces: Pieces, stream: int) -> None:
        super().__init__()
        self._pieces = pieces
        self._stream = stream
        self._keys: tuple[bytes, ...] = ()
        self._first_frame = 0
        self._session: int | None = None
        self._frames: _Http2Frames | None = None

    def begin(self, keys: tuple[bytes, bytes], frame: int) -> None:
        """See `TcpDataReader.begin`."""
        self._keys, self._first_frame = keys, frame
        self._frames = _Http2Frames(self._pieces, self._stream, endpoints(keys[0]))

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """See `TcpDataReader.feed`."""
        if self._session is None and self._frames is not None:
            self._frames.read(side, data, frame, at)

    def lose(self, side: int, n_bytes: int) -> None:
        """See `TcpDataReader.lose`."""
        if self._session is None and self._frames is not None:
            self._frames.lose(side, n_bytes)

    def finish(self, reason: str) -> None:
        """See `TcpDataReader.finish`."""

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionBegan) and self._session is None and self._is_ours(event.flow):
                self._session = event.session
        super().take(events)

    def _is_ours(self, flow: Flow) -> bool:
        return flow.key in self._keys and flow.first_frame == self._first_frame

    def open(self, session: int, alpn: bytes | None, missing: MissingData) -> DataReader | None:
        """See `DataStreams.open`."""
        if session != self._session or alpn not in (None, b"h2"):
            return None
        reader = _Http2Frames(self._pieces, self._stream, endpoints(self.flows[session].key))
        return _OfHttp2(reader, missing)


class _Http2Frames(frames.Frames):
    """Reads the frames of both sides. nodes: client and server. A body is held until its stream ends, up to MAX_BODY."""

    def __init__(self, pieces: Pieces, stream: int, nodes: tuple[Node, Node]) -> None:
        self._pieces = pieces
        self._stream = stream
        self._nodes = nodes
        self._frame, self._at = 0, -1
        self._first: int | None = None
        self._sections = (FieldSections(self, 0), FieldSections(self, 1))
        self._readers = (frames.FrameReader(self, 0, True), frames.FrameReader(self, 1, False))
        self._bodies = (bytearray(), bytearray())
        self._codings: list[list[str]] = [[], []]
        self._is_whole = [True, True]

    def read(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Read the next bytes of a side."""
        self._frame, self._at = frame, at
        self._readers[side].feed(data)

    def lose(self, side: int, n_bytes: int | None) -> None:
        """Handle missing bytes of a side."""
        self._readers[side].gap(n_bytes)

    def begin_data(self, side: int, flags: int, stream: int, length: int) -> None:
        """See `http2_frames.Frames`."""

    def read_data(self, side: int, stream: int, data: bytes) -> None:
        """See `http2_frames.Frames`. A body that is too large is written in parts, as it was sent."""
        if stream == self._stream:
            self._bodies[side].extend(data)
            if len(self._bodies[side]) > MAX_BODY:
                self._codings[side] = []
                self._end_body(side)

    def lose_data(self, side: int, stream: int, length: int) -> None:
        """See `http2_frames.Frames`."""
        if stream == self._stream:
            self._lose_body(side)

    def end_data(self, side: int, flags: int, stream: int) -> None:
        """See `http2_frames.Frames`."""
        if stream == self._stream and flags & frames.END_STREAM:
            self._end_body(side)

    def read_frame(self, side: int, kind: int, flags: int, stream: int, payload: bytes) -> None:
        """See `http2_frames.Frames`."""
        if kind in SECTION_FRAMES:
            section = self._sections[side].read(kind, flags, stream, payload)
            fields = None if section is None else self._sections[side].decode(bytes(section.data))
            if section is not None and section.stream == self._stream:
                if not section.promised:  # a PUSH_PROMISE can come within a body, which goes on behind it
                    self._end_body(side)  # in front of trailers
                    partial = _PARTIAL if (":status", str(_PARTIAL)) in (fields or ()) else None
                    self._codings[side] = content_codings(index_of(fields or []), partial)
                lines = "".join(f"{name}: {value}\n" for name, value in fields or ())
                self._add(side, (lines + "\n").encode("utf-8", "surrogateescape"))
        elif stream == self._stream:
            self._add(side, _head(len(payload), kind, flags, stream) + payload)

    def lose_frames(self, side: int, why: str) -> None:
        """See `http2_frames.Frames`."""
        self._sections[side].lose(why)
        self._lose_body(side)

    def note(self, side: int, code: str, detail: str) -> None:
        """Findings have no pieces."""

    def _lose_body(self, side: int) -> None:
        self._bodies[side].clear()
        self._is_whole[side] = False

    def _end_body(self, side: int) -> None:
        """Write a body without its content codings. What has a hole is no body; what cannot be decoded, or becomes too long, is
        left as it is."""
        body = bytes(self._bodies[side])
        if body and self._is_whole[side]:
            self._add(side, _decoded(body, self._codings[side]))
        self._bodies[side].clear()

    def _add(self, side: int, data: bytes) -> None:
        first = self._first = side if self._first is None else self._first
        if not self._pieces.begun:
            self._pieces.begin((self._nodes[first], self._nodes[1 - first]))
        self._pieces.add(int(side != first), data, self._frame, self._at)


class _OfHttp2(DataReader):
    """Passes on what a session carried."""

    def __init__(self, owner: _Http2Frames, missing: MissingData) -> None:
        super().__init__(missing)
        self._owner = owner

    def feed(self, role: int, data: bytes, frame: int, at: int) -> None:
        """See `DataReader.feed`."""
        self._owner.read(role, data, frame, at)

    def miss(self, role: int, reason: str | None) -> None:
        """See `DataReader.miss`."""
        self._owner.lose(role, None)


def _decoded(body: bytes, codings: list[str]) -> bytes:
    if not codings or len(codings) > CODINGS_MAX or not KNOWN.issuperset(codings):
        return body
    stack, decoded = Stack(codings), bytearray()
    try:
        for piece in stack.decode(body):
            decoded += piece
            if len(decoded) > MAX_BODY:
                return body
    except ParseError:
        return body
    return bytes(decoded) if stack.finished else body


def _head(length: int, kind: int, flags: int, stream: int) -> bytes:
    """Return the header of a frame (RFC 9113 section 4.1)."""
    return length.to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4)
