"""Defines the events of sessions: objects that an engine emits in the order in which things happened, and that listeners take.

A session keeps its messages, alerts, gaps, conflicts and findings (`session_log`), and uses these same objects for them. So
each object is created only once, and listeners that do not need an event cause no extra work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.codec.errors import ParseError
from analyzer.flows.flow import Flow

if TYPE_CHECKING:
    import cython

NO_ROLE = -1
"""The role of an event that no role caused."""

Piece = tuple[int, int]
"""Where bytes of a message are: (position in the role's stream, number of bytes)."""


class Event:
    """Something that happened in a session.

    session: its number. role: who did it, 0 the client, 1 the server, -1 nobody. frame: the frame in which it became known; 0
    for none. at: time of that frame in nanoseconds since the epoch, -1 if it has none. version: the version of the session at
    that time, 0 before it is known. All five are set when the event is emitted. Conclusions that are drawn late, for example at
    the end of a session, come after the events that led to them. Their frame is then an earlier one, or 0.
    """

    __slots__ = ("at", "frame", "role", "session", "version")

    session: int
    role: int
    frame: int
    at: int
    version: int


class SessionBegan(Event):
    """The first handshake bytes of a session, or its first record if the capture starts later.

    flow: which endpoints communicate.
    """

    __slots__ = ("flow",)

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.role = NO_ROLE
        self.frame = flow.first_frame
        self.at = flow.start


class HandshakeMessage(Event):
    """A handshake message as it was received.

    type: the number on the wire; name: the RFC's. length: bytes with the header, as declared; raw: the bytes that are
    available. body: the decoded table, None when encrypted or of an unknown type. problems: what is wrong with it. pieces:
    where its bytes are in the role's stream, in order; empty if they were encrypted, or if no listener wants positions.
    """

    __slots__ = ("body", "encrypted", "length", "name", "pieces", "problems", "raw", "type")

    type: int
    name: str
    length: int
    raw: bytes
    body: Any
    problems: list[ParseError]
    encrypted: bool
    pieces: tuple[Piece, ...]


NO_PIECES: tuple[Piece, ...] = ()


def handshake_message(
    number: cython.int,
    name: str,
    role: cython.int,
    frame: cython.longlong,
    at: cython.longlong,
    length: cython.longlong,
    raw: bytes,
    body: Any,
    problems: list[ParseError],
    encrypted: cython.bint,
) -> HandshakeMessage:
    """Return a message. Setting the fields here saves compiled code a call with ten Python objects."""
    message: HandshakeMessage = HandshakeMessage.__new__(HandshakeMessage)
    message.type = number
    message.name = name
    message.role = role
    message.frame = frame
    message.at = at
    message.length = length
    message.raw = raw
    message.body = body
    message.problems = problems
    message.encrypted = encrypted
    message.pieces = NO_PIECES
    return message


class Alert(Event):
    """An alert (RFC 9846 section 6): level and description by number, -1 while encrypted.

    injected: whether it came in plaintext after its sender had changed to encryption; no endpoint believes such an alert.
    """

    __slots__ = ("description", "encrypted", "injected", "level")

    def __init__(
        self, level: cython.int, description: cython.int, role: cython.int, frame: cython.longlong, at: cython.longlong
    ) -> None:
        self.level = level
        self.description = description
        self.role = role
        self.frame = frame
        self.at = at
        self.encrypted = level < 0
        self.injected = False


class RecordEvent(Event):
    """A record that is listed: `kind` is `change_cipher_spec`, `application_data`, `heartbeat` or `encrypted_handshake`.

    length: of its body, in bytes.
    """

    __slots__ = ("kind", "length")

    def __init__(
        self, kind: str, role: cython.int, length: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        self.kind = kind
        self.role = role
        self.length = length
        self.frame = frame
        self.at = at


def record_event(
    kind: str, role: cython.int, length: cython.longlong, frame: cython.longlong, at: cython.longlong
) -> RecordEvent:
    """Return a RecordEvent, created in the same way as in `handshake_message`."""
    event: RecordEvent = RecordEvent.__new__(RecordEvent)
    event.kind = kind
    event.role = role
    event.length = length
    event.frame = frame
    event.at = at
    return event


class RecordRead(Event):
    """A whole record of the wire, or the available part of it.

    offset: of its header in the role's stream, in bytes. header: bytes of its header; length: of its body. content_type: as on
    the wire, encrypted or not. wire_version: the version in its header.
    """

    __slots__ = ("content_type", "header", "length", "offset", "wire_version")

    def __init__(
        self,
        role: cython.int,
        content_type: cython.int,
        offset: cython.longlong,
        header: cython.int,
        length: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
        wire_version: cython.int = 0,
    ) -> None:
        self.role = role
        self.wire_version = wire_version
        self.content_type = content_type
        self.offset = offset
        self.header = header
        self.length = length
        self.frame = frame
        self.at = at


class KeysChanged(Event):
    """A role protects its records with new keys from here on, as far as the handshake shows it.

    epoch: their name, `protected` up to TLS 1.2 (RFC 5246 section 7.1), `handshake`, `application`, `updated` in TLS 1.3 (RFC
    9846 section 7).
    """

    __slots__ = ("epoch",)

    def __init__(self, epoch: str, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        self.epoch = epoch
        self.role = role
        self.frame = frame
        self.at = at


class OutOfOrder(Event):
    """A message that its role is not allowed to send in this state (see `handshake.states`).

    state: the state's name. type: its number; for a HelloRetryRequest the number used by the drafts, and for a ChangeCipherSpec
    a number above all message types.
    """

    __slots__ = ("state", "type")

    def __init__(self, number: cython.int, state: str, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        self.type = number
        self.state = state
        self.role = role
        self.frame = frame
        self.at = at


class DataBegan(Event):
    """The first decrypted application data follows. alpn: the protocol that both sides agreed on (RFC 7301).

    failed: how many records before it could not be decrypted; reason: why the first of them failed, as in the session record.
    """

    __slots__ = ("alpn", "failed", "reason")

    def __init__(self, alpn: bytes | None, failed: cython.longlong, reason: str | None) -> None:
        self.alpn = alpn
        self.failed = failed
        self.reason = reason
        self.role = NO_ROLE


class Data(Event):
    """Decrypted application data of one record, or of a stream of QUIC.

    stream: its number, -1 without streams, and of a datagram. end: whether the role ends the stream with it; then there may be
    no bytes. reset: the error code with which the role resets the stream; -1 if it does not.
    """

    __slots__ = ("data", "end", "reset", "stream")

    def __init__(self, data: bytes, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        self.data = data
        self.end = False
        self.reset = -1
        self.stream = -1
        self.role = role
        self.frame = frame
        self.at = at


class DataMissing(Event):
    """Application data of a role is missing here: a record could not be decrypted, or an unknown number of records is lost.

    reason: as in the session record's `decryption`, None if the stream has no record at a position where one should begin.
    failed: how many records of the session could not be decrypted so far. stream: as in `Data`. length: how many bytes of the
    stream are missing; -1 if that is not known.
    """

    __slots__ = ("failed", "length", "reason", "stream")

    def __init__(self, role: cython.int, reason: str | None, failed: cython.longlong) -> None:
        self.role = role
        self.length = -1
        self.stream = -1
        self.reason = reason
        self.failed = failed
        self.frame = 0
        self.at = -1


class Gap(Event):
    """`length` bytes of the role's stream, from position `offset` on, are not in the capture; 0 if nobody knows how many.

    `frame` is the last frame before them.
    """

    __slots__ = ("length", "offset")

    def __init__(self, role: cython.int, offset: cython.longlong, length: cython.longlong, frame: cython.longlong) -> None:
        self.role = role
        self.offset = offset
        self.length = length
        self.frame = frame
        self.at = -1


class Conflict(Event):
    """`frame` has the bytes `second` at position `offset`, but an earlier frame has `first` there, which was used."""

    __slots__ = ("first", "offset", "second")

    def __init__(self, role: cython.int, offset: cython.longlong, first: bytes, second: bytes, frame: cython.longlong) -> None:
        self.role = role
        self.offset = offset
        self.first = first
        self.second = second
        self.frame = frame
        self.at = -1


class Finding(Event):
    """Something that the user should know: a code, a severity (`info`, `low`, `medium`, `high`), a sentence, the frames."""

    __slots__ = ("code", "detail", "frames", "severity")

    def __init__(self, code: str, severity: str, detail: str, frames: list[int]) -> None:
        self.code = code
        self.severity = severity
        self.detail = detail
        self.frames = frames
        self.role = NO_ROLE
        self.frame = frames[0] if frames else 0
        self.at = -1


class SessionEnded(Event):
    """A session has ended, and all facts about it are final.

    ended: the session itself (`analyzer.tls.session.Session`). order: its place among all ends of sessions in the run.
    """

    __slots__ = ("ended", "order")

    def __init__(self, ended: Any, order: int = 0) -> None:
        self.ended = ended
        self.order = order
        self.session = ended.id
        self.role = NO_ROLE
