"""Takes the frames of opened packets to where they belong: handshake bytes, streams, and the facts of the transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.codec.registry import registry
from analyzer.secrets.quic_protection import OpenedPacket
from analyzer.tls.quic.crypto_levels import give_up
from analyzer.tls.quic.frames import FrameTaker, read_frames
from analyzer.tls.quic.stream_data import DATAGRAM, RESET, STOP, STREAM, StreamData
from analyzer.tls.quic.stream_reassembly import Reassembly
from analyzer.tls.quic.transport_facts import APPLICATION, EARLY, FARTHEST_ACK, LEVELS, MAX_LISTED, Close, TransportFacts
from analyzer.tls.session_log import ROLES

if TYPE_CHECKING:
    import cython

CRYPTO_ERRORS = 0x0100
"""The first of the 256 transport codes that are alerts of TLS (RFC 9001 section 4.8)."""

_NOT_IN_EARLY_DATA = 1 << 0x02 | 1 << 0x03 | 1 << 0x06 | 1 << 0x07 | 1 << 0x19 | 1 << 0x1B | 1 << 0x1E
_IN_HANDSHAKE = 1 << 0x00 | 1 << 0x01 | 1 << 0x02 | 1 << 0x03 | 1 << 0x06 | 1 << 0x1C
_NOT_OF_CLIENTS = 1 << 0x07 | 1 << 0x1E
"""Types of frames, as bits (RFC 9000 sections 12.4, 19.7 and 19.20)."""

_STREAM, _RESET, _STOP, _DATAGRAM, _EARLY, _APPLICATION = STREAM, RESET, STOP, DATAGRAM, EARLY, APPLICATION


class PacketContents(FrameTaker):
    """Gets the frames of the packets of a session. session: None after its end; facts, streams: its own; streams is None before
    the first packet. role, level, frame, at: of the packet. counted_frame, counted_at: of the last packet that counts; path: of
    the last one that was opened.
    """

    __slots__ = (
        "at", "counted_at", "counted_frame", "facts", "frame", "level", "path", "role", "session", "streams",
    )  # fmt: skip

    def __init__(self, session: Any) -> None:
        FrameTaker.__init__(self)
        self.session = session
        self.facts: TransportFacts = None  # type: ignore[assignment]  # set by `QuicSession.begin_transport`
        self.streams: StreamData = None  # type: ignore[assignment]  # set before the first packet
        self.role = 0
        self.level = 0
        self.frame = 0
        self.at = -1
        self.counted_frame = 0
        self.counted_at = -1
        self.path = b""

    def count(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Note a packet that counts."""
        self.counted_frame = frame
        self.counted_at = at

    def read(
        self, opened: OpenedPacket, role: cython.int, level: cython.int, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Read the frames of a packet."""
        self.role = role
        self.level = level
        self.frame = frame
        self.at = at
        problem: str = read_frames(opened.plaintext, self)
        if level == _APPLICATION and self.facts.close is not None:
            self.session.review_close(role)
        forbidden: cython.longlong = self.kinds & (_NOT_OF_CLIENTS if role == 0 else 0)
        if level == _EARLY:
            forbidden = self.kinds & _NOT_IN_EARLY_DATA
        elif level != _APPLICATION:
            forbidden = self.kinds & ~_IN_HANDSHAKE
        if forbidden != 0:
            self.note_forbidden(forbidden, opened.number)
        if len(problem) > 0:
            self.session.log.add_finding("protocol_violation", "medium", f"packet {opened.number}: {problem}", frame)

    def note_forbidden(self, kinds: cython.longlong, number: cython.longlong) -> None:
        """Report frames that this packet must not have. kinds: their types, as bits."""
        names = registry("quic_frame_types")
        listed = ", ".join([names.name(kind) for kind in range(63) if kinds >> kind & 1])
        detail = f"packet {number} of the {ROLES[self.role]}, of the level {LEVELS[self.level]}, has {listed}"
        self.session.log.add_finding("frame_not_allowed", "medium", detail, self.frame)

    def take_ack(self, ranges: list[Any], ecn: Any) -> None:
        """See `FrameTaker.take_ack`."""
        self.facts.take_ack(self.role, self.level, ranges, ecn)
        place = 2 * self.level + 1 - self.role
        decryptor = self.session.opening.proven[place]
        if decryptor is not None and decryptor.largest < ranges[0][1] <= decryptor.largest + FARTHEST_ACK:
            decryptor.largest = ranges[0][1]

    def take_crypto(self, offset: cython.longlong, data: bytes) -> None:
        """See `FrameTaker.take_crypto`."""
        session = self.session
        stream: Reassembly = session.crypto.streams[2 * self.level + self.role]
        ready: bytes = stream.feed(offset, data)
        if len(ready) > 0:
            session.take_handshake(self.role, ready, self.frame, self.at, self.level)
            if session.held:
                self.release()
        elif stream.overflows:
            give_up(session, self.role, self.level, self.frame, self.at)

    def release(self) -> None:
        """Let the session read packets that waited for these handshake bytes, and go on with the frames of this packet."""
        role: cython.int = self.role
        level: cython.int = self.level
        frame: cython.longlong = self.frame
        at: cython.longlong = self.at
        kinds: cython.longlong = self.kinds
        self.session.release(frame, at)
        self.role, self.level, self.frame, self.at, self.kinds = role, level, frame, at, kinds

    def take_stream(self, stream: cython.longlong, offset: cython.longlong, data: bytes, end: cython.bint) -> None:
        """See `FrameTaker.take_stream`."""
        if self.level == _APPLICATION:
            self.streams.take_stream(self.role, stream, offset, data, end, self.frame, self.at)
        else:
            self.take_data(_STREAM, stream, offset, data, end)

    def take_limit(self, stream: cython.longlong, maximum: cython.longlong) -> None:
        """See `FrameTaker.take_limit`."""
        self.streams.allow(self.role, stream, maximum)

    def take_reset(self, stream: cython.longlong, code: cython.longlong) -> None:
        """See `FrameTaker.take_reset`."""
        self.take_data(_RESET, stream, code, b"", False)

    def take_stop(self, stream: cython.longlong, code: cython.longlong) -> None:
        """See `FrameTaker.take_stop`."""
        self.take_data(_STOP, stream, code, b"", False)

    def take_datagram(self, data: bytes) -> None:
        """See `FrameTaker.take_datagram`."""
        self.take_data(_DATAGRAM, 0, 0, data, False)

    def take_data(
        self, kind: cython.int, stream: cython.longlong, offset: cython.longlong, data: bytes, end: cython.bint
    ) -> None:
        """Take a frame with application data. Early data waits for the server's answer."""
        streams: StreamData = self.streams
        if self.level == _EARLY and self.facts.parameters[1] is None:
            streams.hold(kind, stream, offset, data, end, self.frame, self.at)
        elif self.level != _EARLY or self.session.accepts_early:
            streams.take(kind, self.role, stream, offset, data, end, self.frame, self.at)

    def take_connection_id(self, number: cython.longlong, connection_id: bytes, token: bytes) -> None:
        """See `FrameTaker.take_connection_id`."""
        if self.session.connection is not None:
            self.session.connection.learn(self.role, connection_id, token)

    def take_path(self, answers: cython.bint) -> None:
        """See `FrameTaker.take_path`."""
        probes = self.facts.probes
        if not answers and len(probes) < MAX_LISTED:
            probes.append(self.frame)

    def take_done(self) -> None:
        """See `FrameTaker.take_done`."""
        if self.facts.done == 0:
            self.facts.done = self.frame

    def take_close(self, code: cython.longlong, application: cython.bint, reason: bytes) -> None:
        """See `FrameTaker.take_close`."""
        self.session.take_close(Close(self.role, self.frame, self.at, code, application, reason, True))
