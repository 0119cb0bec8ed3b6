"""Sessions whose records another process reads: see `envoy`. What envoys told is heard here, in order.

This module is compiled (see setup.cfg) and runs the same uncompiled.
"""

from typing import Any

import cython

from analyzer.streams.tcp import Connection
from analyzer.tls.detect import Sessions
from analyzer.tls.links import Links, Origin
from analyzer.tls.session import Session
from analyzer.tls.tidings import (
    BEGIN,
    CONFLICT,
    FINISH,
    KINDS,
    LACKS,
    LOST,
    RECORD,
    SIDE,
    STOP,
    TURN,
    TYPE,
    VERSION,
    VIOLATION,
    TidingsReader,
)

ELSEWHERE = -1
"""The number of the session that a TLS 1.3 session resumes, which only who hears of all tickets can know."""


class NotedLinks(Links):
    """Notes what other processes may have to know: `(frame, ticket, number of the session that gave it out, True)`, and for
    a session of TLS 1.3 that resumes another `(frame, identity, its own number, False)`. frame: the one at hand.
    """

    __slots__ = ("elsewhere", "frame", "notes")

    def __init__(self) -> None:
        Links.__init__(self)
        self.frame = 0
        self.notes: list[tuple[int, bytes, int, bool]] = []
        self.elsewhere = Origin(ELSEWHERE, b"", None)

    def keep_ticket(self, ticket: bytes, origin: Origin) -> None:
        """As in the class above."""
        self.notes.append((self.frame, ticket, origin.number, True))
        Links.keep_ticket(self, ticket, origin)

    def by_identity(self, number: cython.longlong, identity: bytes) -> Origin | None:
        """As in the class above, as far as it can be known here."""
        self.notes.append((self.frame, identity, number, False))
        return self.elsewhere


class Audience:
    """Has the sessions of a process. ended: those whose connection is over. held: bytes of memory that the others keep."""

    __slots__ = ("ended", "held", "links", "listening", "sessions")

    def __init__(self, fields: cython.bint, secrets: Any) -> None:
        self.sessions = Sessions(None, fields, secrets)
        self.links = NotedLinks()
        self.sessions.links = self.links
        self.listening: dict[int, Session] = {}
        self.ended: list[Session] = []
        self.held = 0

    def hear(self, tidings: TidingsReader) -> cython.bint:
        """Take what envoys told in a turn; False where there is no more to take."""
        word: cython.longlong
        kind: cython.int
        side: cython.int
        frame: cython.longlong
        body: bytes
        session: Session
        while tidings.advance():
            word = tidings.word
            kind = word & KINDS
            side = (word >> SIDE) & 1
            body = tidings.body
            if kind == BEGIN:
                self.begin(tidings)
                continue
            if kind == TURN:
                return True
            session = self.listening[tidings.number]
            self.held -= session.kept
            frame = self.links.frame = tidings.frame
            if kind == RECORD:
                session.record(
                    side, (word >> TYPE) & 0xFF, word >> VERSION, body, tidings.length, tidings.missing, frame, tidings.at
                )
            elif kind == FINISH:
                session.connection.limited = tidings.length
                session.finish(body.decode(), frame, tidings.at)
                self.ended.append(session)
                del self.listening[tidings.number]
                continue
            elif kind == STOP:
                session.stop(side, frame, tidings.at)
            elif kind == LOST:
                session.lost(side, frame, tidings.at)
            elif kind == VIOLATION:
                session.violation(side, tidings.at, body.decode(), frame)
            elif kind == LACKS:
                session.lacks(side, tidings.at, tidings.length, frame)
            elif kind == CONFLICT:
                session.conflict(side, tidings.at, body[: tidings.length], body[tidings.length :], frame)
            else:
                raise ValueError(f"no envoy tells of {kind}")
            self.held += session.kept
        return False

    def begin(self, tidings: TidingsReader) -> None:
        """Begin a session, with as much of its connection as it looks at."""
        connection: Connection = Connection(tidings.body, tidings.body, tidings.frame, tidings.at)
        connection.opener.connection = None  # type: ignore[assignment]  # nobody follows it, and it would be a ring
        connection.opener.peer = None  # type: ignore[assignment]
        connection.answerer = None  # type: ignore[assignment]
        session: Session = self.sessions.new(tidings.number, (tidings.word >> SIDE) & 1, connection)
        session.mid_stream = bool((tidings.word >> TYPE) & 1)
        self.listening[tidings.number] = session

    def take(self) -> list[Session]:
        """Give those that have ended, once, in the order in which they ended."""
        ended = self.ended
        self.ended = []
        return ended
