"""Takes the frames of Initial packets: handshake bytes, acknowledgements, and the end of a connection that fails early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.secrets.quic_protection import initial_decryptors
from analyzer.secrets.quic_versions import INITIAL
from analyzer.tls.quic.frames import FrameTaker, read_frames
from analyzer.tls.quic.packet_headers import LongHeader
from analyzer.tls.quic.repeated_hello import RepeatedHello, take_void
from analyzer.tls.quic.stream_reassembly import Reassembly
from analyzer.tls.record import content_types
from analyzer.tls.record.record import AGAIN

if TYPE_CHECKING:
    import cython

SMALLEST_DATAGRAM = 1200
"""Bytes that the datagram of an Initial packet of the client has at least (RFC 9000 section 14.1)."""

_CLIENT, _SMALLEST_DATAGRAM = 0, SMALLEST_DATAGRAM
_ALERT, _HANDSHAKE_RECORD = content_types.ALERT, content_types.HANDSHAKE


class InitialFrames(FrameTaker):
    """Gets the frames of Initial packets.

    role, frame, at: of the packet; follows: whether it is the client's, behind an answer of the server; first: whether its keys
    are those of the first Initial. pieces: handshake bytes in a packet of the server, with their offsets. size: of the datagram
    of the next packet, 0 if it is not known; n_bytes: of the datagram of this one. again: whether the client has begun again.
    hello: what the session has read where it does not wait.
    """

    __slots__ = ("again", "at", "connection", "first", "follows", "frame", "hello", "n_bytes", "pieces", "role", "size")

    def __init__(self, connection: Any) -> None:
        FrameTaker.__init__(self)
        self.connection = connection
        self.role = 0
        self.frame = 0
        self.at = -1
        self.follows = False
        self.first = False
        self.again = False
        self.hello: RepeatedHello = RepeatedHello()
        self.size = 0
        self.n_bytes = 0
        self.pieces: list[tuple[int, bytes]] = []

    def begin(
        self, role: cython.int, frame: cython.longlong, at: cython.longlong, follows: cython.bint, first: cython.bint
    ) -> None:
        """Begin a packet."""
        self.role, self.frame, self.at, self.follows, self.first = role, frame, at, follows, first
        self.n_bytes, self.size = self.size, 0
        self.pieces = []

    def take_ack(self, ranges: list[Any], ecn: Any) -> None:
        """See `FrameTaker.take_ack`."""
        self.connection.facts.take_ack(self.role, 0, ranges, ecn)
        if self.role == _CLIENT:
            self.connection.answers.acknowledge(ranges)

    def take_crypto(self, offset: cython.longlong, data: bytes) -> None:
        """See `FrameTaker.take_crypto`."""
        if self.role != _CLIENT:
            self.pieces.append((offset, data))
            return
        if self.again and self.first:  # from before a Retry or Version Negotiation, late
            take_void(self.connection, offset, data, self.frame, self.at)
            return
        stream: Reassembly = self.connection.crypto[self.role]
        ready: bytes = stream.feed(offset, data)
        if ready and self.connection.unanswered is None:
            ready = self.compare(ready)
        if ready and self.follows:  # another ClientHello, which a HelloRetryRequest asked for
            self.connection.release()
        if ready:
            if 0 < self.n_bytes < _SMALLEST_DATAGRAM:
                self.connection.facts.take_small(self.frame, self.n_bytes)
            self.connection.tell(self.role, _HANDSHAKE_RECORD, ready, self.frame, self.at)
        while stream.overflows:
            self.connection.skip(self.role, self.frame, self.at)

    def compare(self, ready: bytes) -> bytes:
        """Return the handshake bytes of the client that the session lacks, which does not wait for the server's answer."""
        others, ready = self.hello.take(ready)
        if others:
            self.connection.tell(_CLIENT, AGAIN, b"", self.frame, self.at)
        return ready

    def take_close(self, code: cython.longlong, application: cython.bint, reason: bytes) -> None:
        """See `FrameTaker.take_close`."""
        if self.follows:
            self.connection.release()
        if self.connection.unanswered is not None and not self.connection.answers.found:
            self.connection.closing = True  # if nothing else comes
        body = code.to_bytes(8, "big") + (b"\1" if application else b"\0") + reason
        self.connection.tell(self.role, _ALERT, body, self.frame, self.at)


def opens_connection(header: LongHeader, data: bytes, start: cython.Py_ssize_t) -> cython.bint:
    """Return whether a packet is the Initial of a client with handshake bytes: only that begins a connection."""
    if header.quic is None or header.type != INITIAL:
        return False
    client, _ = initial_decryptors(header.quic, header.destination)
    client.attempts = 0
    opened = client.open(data, start, header.number_at, header.end)
    if opened is None:
        return False
    found = _FindsCrypto()
    return read_frames(opened.plaintext, found) == "" and found.any


class _FindsCrypto(FrameTaker):
    """Notes whether there are handshake bytes."""

    __slots__ = ("any",)

    def __init__(self) -> None:
        FrameTaker.__init__(self)
        self.any = False

    def take_crypto(self, offset: cython.longlong, data: bytes) -> None:
        """See `FrameTaker.take_crypto`."""
        self.any = self.any or len(data) > 0
