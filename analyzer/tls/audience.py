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
    PART,
    RECORD,
    SIDE,
    STOP,
    TYPE,
    VERSION,
    VIOLATION,
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

    def hear(self, tidings: list[Any]) -> None:
        """Take what envoys told."""
        pos: cython.Py_ssize_t = 0
        word: cython.longlong
        kind: cython.int
        side: cython.int
        number: Any
        body: bytes
        session: Session
        while pos < len(tidings):
            word = tidings[pos]
            kind = word & KINDS
            number = tidings[pos + 1]
            if kind == BEGIN:
                self.begin(tidings, pos)
                pos += 7
                continue
            session = self.listening[number]
            self.held -= session.kept
            side = (word >> SIDE) & 1
            self.links.frame = tidings[pos + 2]
            if kind in (RECORD, PART):
                body = tidings[pos + 4]
                length: cython.longlong = len(body)
                missing: cython.longlong = 0
                if kind == PART:
                    length = tidings[pos + 5]
                    missing = tidings[pos + 6]
                session.record(
                    side, (word >> TYPE) & 0xFF, word >> VERSION, body, length, missing, self.links.frame, tidings[pos + 3]
                )
                pos += 5 if kind == RECORD else 7
            elif kind == FINISH:
                session.connection.limited = tidings[pos + 5]
                session.finish(tidings[pos + 4], self.links.frame, tidings[pos + 3])
                self.ended.append(session)
                del self.listening[number]
                pos += 6
                continue
            elif kind == STOP:
                session.stop(side, self.links.frame, tidings[pos + 3])
                pos += 4
            elif kind == LOST:
                session.lost(side, self.links.frame, tidings[pos + 3])
                pos += 4
            elif kind == VIOLATION:
                session.violation(side, tidings[pos + 3], tidings[pos + 4], self.links.frame)
                pos += 5
            elif kind == LACKS:
                session.lacks(side, tidings[pos + 3], tidings[pos + 4], self.links.frame)
                pos += 5
            elif kind == CONFLICT:
                session.conflict(side, tidings[pos + 3], tidings[pos + 4], tidings[pos + 5], self.links.frame)
                pos += 6
            else:
                raise ValueError(f"no envoy tells of {kind}")
            self.held += session.kept

    def begin(self, tidings: list[Any], pos: cython.Py_ssize_t) -> None:
        """Begin a session, with as much of its connection as it looks at."""
        key: bytes = tidings[pos + 3]
        connection: Connection = Connection(key, key, tidings[pos + 4], tidings[pos + 5])
        connection.opener.connection = None  # type: ignore[assignment]  # nobody follows it, and it would be a ring
        connection.opener.peer = None  # type: ignore[assignment]
        connection.answerer = None  # type: ignore[assignment]
        session: Session = self.sessions.new(tidings[pos + 1], tidings[pos + 2], connection)
        session.mid_stream = tidings[pos + 6]
        self.listening[tidings[pos + 1]] = session

    def take(self) -> list[Session]:
        """Give those that have ended, once, in the order in which they ended."""
        ended = self.ended
        self.ended = []
        return ended
