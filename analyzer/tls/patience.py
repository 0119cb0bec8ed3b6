"""Waiting for secrets that come after the records that they open.

A key log that another program writes, and the blocks of a pcapng that comes through a pipe, may give a session's secrets while
the session is under way, or when it is over. Until they are there, `Patience` stands between the record layer and the session
and keeps everything in order; then the session is given all of it, with frames and times as they were, and so comes out as if
its secrets had come first. What is kept has limits: a session that reaches one goes on without secrets, and secrets that come
later still are a finding. Time here is that of the capture.

This module is compiled (see setup.cfg) and runs the same uncompiled.
"""

from typing import Any

import cython

from analyzer.tls.content_types import APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE
from analyzer.tls.limits import LONGEST_WAIT, MOST_ENDED, MOST_WAITING, MOST_WAITING_IN_ALL, WAITING_COST
from analyzer.tls.records import RecordReader, RecordSink
from analyzer.tls.secrets import Secrets
from analyzer.tls.session import Session

CLIENT_HELLO, SSL2 = 1, 0x0002
RANDOM_BEGINS, RANDOM_ENDS = 6, 38

RECORD, VIOLATION, LOST = 0, 1, 2
"""What was held."""


class Patience(RecordSink):
    """Holds the records of a session in order until there are secrets for it, or there is no point in holding them.

    held: what came; with each how many gaps and findings the session had by then, which the streams tell it at once. size:
    bytes of memory. random: the client random that names the session, empty before its ClientHello. tried: how much of the key
    log was looked at. encrypted: whether any of it can be: a handshake that was given up before needs no secrets. over:
    whether nothing is held any more; gone: because there was no point in it. ended: reason, frame and time of the
    connection's end, None before.
    """

    __slots__ = ("encrypted", "ended", "gone", "held", "hello", "over", "random", "session", "size", "tried", "waiting")

    def __init__(self, session: Session, waiting: "Waiting") -> None:
        self.session = session
        self.waiting = waiting
        self.held: list[tuple[Any, ...]] = []
        self.size = 0
        self.encrypted = False
        self.hello = b""
        self.random = b""
        self.tried = -1
        self.gone = False
        self.over = False
        self.ended: tuple[str, int, int] | None = None
        reader: RecordReader
        for reader in session.readers:
            reader.sink = self

    def wants(self, side: cython.int, content_type: cython.int) -> cython.bint:
        """As in the class above: all that is held may turn out to be wanted."""
        return self.session.wants(side, content_type) if self.gone else True

    def record(
        self,
        side: cython.int,
        content_type: cython.int,
        version: cython.int,
        body: bytes,
        length: cython.longlong,
        missing: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """As in the class above."""
        if self.gone:
            self.session.record(side, content_type, version, body, length, missing, frame, at)
            return
        if not self.random and content_type == HANDSHAKE and side == self.session.client:
            self.greet(version, body)
        if content_type in (APPLICATION_DATA, CHANGE_CIPHER_SPEC):
            self.encrypted = True
        self.hold((RECORD, side, content_type, version, body, length, missing, frame, at), len(body))

    def violation(self, side: cython.int, offset: cython.longlong, why: str, frame: cython.longlong) -> None:
        """As in the class above."""
        if self.gone:
            self.session.violation(side, offset, why, frame)
        else:
            self.hold((VIOLATION, side, offset, why, frame), 0)

    def lost(self, side: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """As in the class above."""
        if self.gone:
            self.session.lost(side, frame, at)
        else:
            self.hold((LOST, side, frame, at), 0)

    def greet(self, version: cython.int, body: bytes) -> None:
        """Look for the ClientHello, which records may split; where none can come, nothing is waited for."""
        self.hello += body[:RANDOM_ENDS]
        if version == SSL2 or self.session.mid_stream or (len(self.hello) > 0 and self.hello[0] != CLIENT_HELLO):
            self.gone = True
        elif len(self.hello) >= RANDOM_ENDS:
            self.random = self.hello[RANDOM_BEGINS:RANDOM_ENDS]
            self.waiting.name(self)

    def hold(self, what: tuple[Any, ...], n_bytes: cython.Py_ssize_t) -> None:
        """Keep what came, or let all of it go on where the time for that has come."""
        alive: Patience = self  # who calls compiled code need not hold it, and letting go of the records lets go of this
        session = alive.session
        self.held.append((len(session.gaps), len(session.findings), *what))
        cost: cython.longlong = n_bytes + WAITING_COST
        self.size += cost
        self.waiting.size += cost
        if self.gone:
            self.give_up()
            return
        self.waiting.wake()
        if self.over:
            return
        if self.ready():
            self.release()
        elif self.size > MOST_WAITING:
            self.give_up()
        elif self.waiting.size > MOST_WAITING_IN_ALL:
            self.waiting.relieve()

    def ready(self) -> bool:
        """Whether the secrets are there; the key log is asked only when it has grown."""
        keylog: Any = self.waiting.secrets.keylog
        if keylog is None or len(self.random) == 0 or keylog.n_fed == self.tried:
            return False
        self.tried = keylog.n_fed
        known: bool = keylog.suffices(self.random)
        return known

    def release(self) -> None:
        """Give the session everything, and step aside."""
        reader: RecordReader
        for reader in self.session.readers:
            reader.sink = self.session
        self.replay()

    def give_up(self) -> None:
        """Give the session everything, and stay to hear whether secrets come after all."""
        self.gone = True
        self.replay()

    def replay(self) -> None:
        """Have the session hear what was held, with the gaps and findings of the streams in their places."""
        session: Session = self.session
        held: list[tuple[Any, ...]] = self.held
        self.held = []
        self.over = True
        self.waiting.forget(self)
        self.size = 0
        gaps: list[Any] = session.gaps
        findings: list[Any] = session.findings
        n_findings: cython.Py_ssize_t = 0
        session.gaps = []
        session.findings = []
        for what in held:
            if what[0] != len(session.gaps):
                session.gaps = gaps[: what[0]]
            if what[1] > n_findings:
                session.findings.extend(findings[n_findings : what[1]])
                n_findings = what[1]
            if what[2] == RECORD:
                session.record(what[3], what[4], what[5], what[6], what[7], what[8], what[9], what[10])
            elif what[2] == VIOLATION:
                session.violation(what[3], what[4], what[5], what[6])
            else:
                session.lost(what[3], what[4], what[5])
        session.gaps = gaps
        session.findings.extend(findings[n_findings:])

    def finish(self, reason: str, frame: cython.longlong, at: cython.longlong) -> cython.bint:
        """Hear that the connection has ended; False where the session still waits."""
        alive: Patience = self  # as in `hold`
        alive.waiting.wake()
        if not self.over and self.encrypted and len(self.random) > 0 and not self.ready():
            self.ended = (reason, frame, at)
            self.waiting.park(self)
            return False
        if not self.over:
            self.release()
        elif self.gone and self.ready():
            detail = "its secrets came when its records had been let go: too many had waited for them"
            self.session.finding("late_secrets", "medium", detail, self.session.first_frame)
        self.session.finish(reason, frame, at)
        return True

    def end(self) -> Session:
        """Bring a session to its end whose connection has ended before."""
        reason, frame, at = self.ended or ("end", 0, 0)
        self.release()
        self.session.finish(reason, frame, at)
        return self.session


class Waiting:
    """All sessions that wait for secrets. size: bytes that they hold; parked: those whose connection has ended, by id; ended:
    those of them that wait no longer. seen: how much of the key log they know. named: ids by client random.
    """

    __slots__ = ("ended", "holders", "named", "parked", "secrets", "seen", "size")

    def __init__(self, secrets: Secrets) -> None:
        self.secrets = secrets
        self.size = 0
        self.seen = -1
        self.holders: dict[int, Patience] = {}
        self.named: dict[bytes, dict[int, None]] = {}
        self.parked: dict[int, Patience] = {}
        self.ended: list[Session] = []

    def begin(self, session: Session) -> None:
        """Have a new session wait."""
        self.holders[session.id] = Patience(session, self)

    def name(self, patience: Patience) -> None:
        """Hear the client random of one, by which its secrets will come."""
        self.named.setdefault(patience.random, {})[patience.session.id] = None

    def park(self, patience: Patience) -> None:
        """Keep one whose connection has ended."""
        self.parked[patience.session.id] = patience

    def forget(self, patience: Patience) -> None:
        """Hear that a session waits no longer."""
        self.size -= patience.size
        self.holders.pop(patience.session.id, None)
        alike = self.named.get(patience.random)
        if alike is not None:
            alike.pop(patience.session.id, None)
            if not alike:
                del self.named[patience.random]

    def wake(self) -> None:
        """Let go on whose secrets have come since the last call, in the order of ids: one may resume another."""
        keylog: Any = self.secrets.keylog
        if keylog is None or keylog.n_fed == self.seen:
            return
        self.seen = keylog.n_fed
        news: Any = keylog.news()
        concerned = self.holders if news is None else [number for random in news for number in self.named.get(random, ())]
        for number in sorted(concerned):
            patience: Patience = self.holders[number]
            if not patience.ready():
                continue
            if patience.ended is None:
                patience.release()
            else:
                del self.parked[number]
                self.ended.append(patience.end())

    def relieve(self) -> None:
        """Make room: those that wait longest, open ones as well as ended ones, wait no longer."""
        for patience in list(self.holders.values()):
            if self.size <= MOST_WAITING_IN_ALL // 2:
                return
            if patience.ended is None:
                patience.give_up()
            else:
                del self.parked[patience.session.id]
                self.ended.append(patience.end())

    def look(self, at: cython.longlong) -> list[Session]:
        """Give the sessions that have waited long enough, by the time of the capture, or whose secrets have come."""
        self.wake()
        spare: cython.Py_ssize_t = len(self.parked) - MOST_ENDED
        for number in list(self.parked):
            patience: Patience = self.parked[number]
            began: cython.longlong = patience.ended[2] if patience.ended is not None else 0
            if spare <= 0 and at - began <= LONGEST_WAIT:
                break
            spare -= 1
            del self.parked[number]
            self.ended.append(patience.end())
        return self.take()

    def take(self) -> list[Session]:
        """Give those that have ended, once."""
        ended = self.ended
        self.ended = []
        return ended

    def close(self) -> list[Session]:
        """Give all that are left, in the order of their ids."""
        self.wake()
        for number in sorted(self.parked):
            patience: Patience = self.parked[number]
            self.ended.append(patience.end())
        self.parked = {}
        return self.take()
