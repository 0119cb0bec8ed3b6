"""What a session is told in: messages, alerts, events and findings. Compiled (see setup.cfg), and runs the same uncompiled."""

from typing import Any

import cython

from analyzer.codec.trouble import Trouble


class HandshakeMessage:
    """A handshake message as it came.

    type: the number on the wire; name: the RFC's. side: 0 client, 1 server. frame: the one that completed it; at: that
    frame's time in nanoseconds. length: bytes with the header, as declared; raw: the bytes there are. body: the decoded
    table, None when encrypted or of an unknown type. problems: what is wrong with it.
    """

    __slots__ = ("at", "body", "encrypted", "frame", "length", "name", "problems", "raw", "side", "type")

    type: int
    name: str
    side: int
    frame: int
    at: int
    length: int
    raw: bytes
    body: Any
    problems: list[Trouble]
    encrypted: bool


def handshake_message(
    number: cython.int,
    name: str,
    side: cython.int,
    frame: cython.longlong,
    at: cython.longlong,
    length: cython.longlong,
    raw: bytes,
    body: Any,
    problems: list[Trouble],
) -> HandshakeMessage:
    """A message in plaintext. Setting the fields here spares compiled code a call with nine Python objects."""
    message: HandshakeMessage = HandshakeMessage.__new__(HandshakeMessage)
    message.type = number
    message.name = name
    message.side = side
    message.frame = frame
    message.at = at
    message.length = length
    message.raw = raw
    message.body = body
    message.problems = problems
    message.encrypted = False
    return message


class Alert:
    """An alert: level and description by number, -1 while encrypted."""

    __slots__ = ("at", "description", "encrypted", "frame", "level", "side")

    def __init__(
        self, level: cython.int, description: cython.int, side: cython.int, frame: cython.longlong, at: cython.longlong
    ) -> None:
        self.level = level
        self.description = description
        self.side = side
        self.frame = frame
        self.at = at
        self.encrypted = level < 0


class Event:
    """What else is worth a line: `kind` is `change_cipher_spec`, `application_data`, `heartbeat` or `encrypted_handshake`."""

    __slots__ = ("at", "frame", "kind", "length", "side")

    def __init__(
        self, kind: str, side: cython.int, length: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        self.kind = kind
        self.side = side
        self.length = length
        self.frame = frame
        self.at = at


def new_event(kind: str, side: cython.int, length: cython.longlong, frame: cython.longlong, at: cython.longlong) -> Event:
    """An event, made as `handshake_message` makes messages."""
    event: Event = Event.__new__(Event)
    event.kind = kind
    event.side = side
    event.length = length
    event.frame = frame
    event.at = at
    return event


class Finding:
    """Something a reader should know: a code, a severity (`info`, `low`, `medium`, `high`), a sentence, the frames."""

    __slots__ = ("code", "detail", "frames", "severity")

    def __init__(self, code: str, severity: str, detail: str, frames: list[int]) -> None:
        self.code = code
        self.severity = severity
        self.detail = detail
        self.frames = frames


def frame_of(fact: HandshakeMessage | Alert) -> int:
    """Sort key: the frame of a message or alert."""
    return fact.frame
