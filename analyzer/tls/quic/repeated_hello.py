"""A ClientHello that the session reads at once, and begins its handshake again where another one takes its place.

Behind a Retry a client sends its ClientHello again. It has to be the same one (RFC 9000 section 17.2.5.2), but there are
clients that make a new one, with other keys. Where records wait for the server's answer, a session reads only the hello that
was answered. Where events are wanted in the turn of their frames, it has read the first one by then.
"""

from typing import Any

from analyzer.tls.messages.numbers import TLS_1_2
from analyzer.tls.quic.crypto_levels import CryptoLevels
from analyzer.tls.quic.packet_opening import PacketOpening
from analyzer.tls.record.content_types import HANDSHAKE
from analyzer.tls.record.record import Record
from analyzer.tls.session_handshake import SessionHandshake

LONGEST_HELLO = 1 << 16
"""Bytes of a ClientHello that are kept, to compare it or to go back to it. One with post-quantum keys has some two thousand."""

MAX_VOID = 64
"""Records of handshake bytes from before a Retry that are kept, of at most LONGEST_HELLO bytes."""

_CLIENT, _SERVER, _BEFORE = 0, 1, 2


class RepeatedHello:
    """The ClientHello that a session has read, and the one behind a Retry, as far as it has come.

    said: the bytes that the session has. again: those behind a Retry while they are the same; None without one.
    """

    __slots__ = ("again", "said")

    def __init__(self) -> None:
        self.said = b""
        self.again: bytes | None = None

    def begin(self) -> None:
        """Note that the client has to send its ClientHello again."""
        self.again = b""

    def take(self, data: bytes) -> tuple[bool, bytes]:
        """Take the next bytes. Return whether the handshake begins again, and the bytes that the session lacks."""
        if self.again is None:
            if len(self.said) < LONGEST_HELLO:
                self.said += data
            return False, data
        self.again += data
        if self.said.startswith(self.again):
            return False, b""
        lacking, self.again = self.again, None
        if lacking.startswith(self.said):
            lacking = lacking[len(self.said) :]
            self.said += lacking
            return False, lacking
        self.said = lacking
        return True, lacking


def begin_handshake_again(session: Any) -> None:
    """Let a `QuicSession` forget the handshake that it has read so far. Its messages stay in its log.

    Early data that has no answer goes with it: the client sends it again (RFC 9000 section 17.2.3).
    """
    before = session.handshake
    if session.streams is not None:
        session.streams.finish(session.contents.counted_frame, session.contents.counted_at)
        session.streams = session.contents.streams = None
    session.handshake = SessionHandshake(session.flow, session.log, before.material, before.resumptions, before.keeps_fields)
    session.roles = session.handshake.roles
    session.opening = PacketOpening()
    session.crypto = CryptoLevels(session.log.places)
    session.accepts_early = False


def begin_again(connection: Any) -> None:
    """Forget the client's handshake bytes in a `QuicConnection`: behind a Retry or Version Negotiation it sends them again."""
    if connection.answers.over:
        return
    frames = connection.frames
    if not frames.again:
        frames.again = True
        connection.crypto = (connection.crypto[_BEFORE], connection.crypto[_SERVER], connection.crypto[_CLIENT])
        connection.void = [one for one in connection.unanswered or () if one.content_type == HANDSHAKE]
    connection.crypto[_CLIENT].reset()
    if connection.unanswered is None:
        frames.hello.begin()
    else:
        connection.unanswered = [one for one in connection.unanswered if one.content_type != HANDSHAKE]


def take_void(connection: Any, offset: int, data: bytes, frame: int, at: int) -> None:
    """Take handshake bytes of the client from before a Retry or Version Negotiation, which come late."""
    stream = connection.crypto[_BEFORE]
    ready = stream.feed(offset, data)
    if stream.overflows:
        stream.reset()
    n_bytes = sum([len(one.body) for one in connection.void]) + len(ready)
    if ready and len(connection.void) < MAX_VOID and n_bytes <= LONGEST_HELLO:
        record = Record(_CLIENT)
        record.content_type, record.version = HANDSHAKE, TLS_1_2
        record.body, record.length, record.frame, record.at = ready, len(ready), frame, at
        connection.void.append(record)


def go_on(connection: Any) -> None:
    """Disbelieve a Retry and a Version Negotiation: the server has answered what was sent before them.

    Whoever sees the client's first Initial can make them.
    """
    facts, frames = connection.facts, connection.frames
    facts.retries.clear()
    facts.offered = None
    facts.negotiated = 0
    if not frames.again:
        return
    facts.ids[_SERVER].clear()
    facts.sent[0].small = None
    forget_keys(connection)
    frames.again = False
    frames.hello.again = None
    first, server, again = connection.crypto[_BEFORE], connection.crypto[_SERVER], connection.crypto[_CLIENT]
    connection.crypto = (first, server, again)
    if connection.unanswered is None:
        return
    sent = [one for one in connection.unanswered if one.content_type == HANDSHAKE]
    rest = [one for one in connection.unanswered if one.content_type != HANDSHAKE]
    connection.unanswered = [*connection.void, *rest]
    connection.void = []
    more = b"".join([first.feed(offset, data) for offset, data in [(0, joined(sent)), *again.pieces()]])
    if more:
        connection.tell(_CLIENT, HANDSHAKE, more, connection.last_frame, connection.last_at)


def forget_attempts(connection: Any) -> None:
    """Forget what came behind a Retry that the capture lacks, or a Version Negotiation: the server sends a Retry only now."""
    connection.facts.offered = None
    connection.facts.negotiated = 0
    if connection.frames.again:
        begin_again(connection)
        forget_keys(connection)
        connection.facts.ids[_SERVER].clear()
        connection.facts.sent[0].small = None


def forget_keys(connection: Any) -> None:
    """Forget the keys of Initial packets that come from other connection IDs than that of the first one."""
    for opens in [one for one in connection.keys if one[0] != connection.facts.original_id]:
        del connection.keys[opens]


def joined(records: list[Record]) -> bytes:
    """Return the bodies of records, one behind the other."""
    return b"".join([one.body for one in records])
