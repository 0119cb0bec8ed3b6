"""Keeps the records of sessions whose secrets come later than their records.

Another program can still be writing the key log, and a pcapng can come through a pipe with its secrets in later blocks. Then
the secrets of a session come while it is running, or after its end. Until then, `PendingSession` is a queue of records between
the record layer and the session. When the secrets are there, the session gets all records with their original frames and times.
The result is the same as if the secrets had come first, with one exception: if this session resumes another one that is still
pending, that relation is not known.

There are limits for what is kept. A session that reaches one goes on without secrets; if its secrets come later, that is a
finding. Time here is the time of the capture. While an interface is read, it also advances without frames (`Engine.tick`),
and `KeyMaterial.longest_wait` limits the time that a session waits: while it is open, so that a session for which there will
never be secrets is seen, and again when it has ended. If the clock is set back, a session waits no longer than that either.

Mostly, a program logs secrets during the handshake, and then a session that has ended without them will never have any. So
where somebody watches an interface, ended sessions wait only PROMPT_WAIT as soon as the secrets of any session have come while
it was open. Secrets that come for a session after its end show that a log is late, such as one that is copied from another
machine. After them, and at the start, ended sessions wait `longest_wait`, for PATIENCE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.secrets.keylog import KeyLog
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.handshake.compatible_hello import client_random_of, is_compatible
from analyzer.tls.limits import (
    MAX_GONE,
    MAX_PENDING,
    MAX_PENDING_ENDED,
    MAX_PENDING_OPEN,
    MAX_PENDING_TIME,
    MAX_PENDING_TOTAL,
    PATIENCE,
    PENDING_COST,
    PROMPT_WAIT,
)
from analyzer.tls.messages.numbers import CLIENT_HELLO, RANDOM
from analyzer.tls.record.content_types import APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, SSL2
from analyzer.tls.record.record import BODY, Record, RecordSink
from analyzer.tls.session import Session

if TYPE_CHECKING:
    import cython

_RANDOM_BEGINS, _RANDOM_ENDS = RANDOM.start, RANDOM.stop
_DTLS, _FRAGMENT_BEGINS, _FRAGMENT_ENDS = 0xFE, RANDOM.start + 8, RANDOM.stop + 8
_FIRST_FRAGMENT = b"\0\0\0"
"""The first byte of versions of DTLS; where the random is behind the header of a fragment, which is longer; its offset."""
_CLIENT = 0

NEVER = (1 << 63) - 1
"""A time later than all others."""


class PendingSession(RecordSink):
    """Keeps the records of a session in order until its secrets are there, or until keeping them has no use any more.

    queue: copies of the records. size: bytes of memory that they need. hello: the first bytes of the handshake. random: the
    client random that names the session, empty before its ClientHello. tried: how much of the key log was searched.
    encrypted: whether any record can be encrypted; a handshake that was aborted earlier needs no secrets. passes_through:
    whether records are passed on to the session; evicted: because keeping them had no use. since: the time of the first record,
    -1 before it. ended: frame and time of the flow's end, None before.
    """

    __slots__ = (
        "encrypted", "ended", "evicted", "hello", "passes_through", "queue", "random", "session", "since", "size", "store",
        "tried",
    )  # fmt: skip

    def __init__(self, session: Session, store: PendingSessions) -> None:
        self.kept = 0
        self.session = session
        self.store = store
        self.queue: list[Record] = []
        self.size = 0
        self.encrypted = False
        self.hello = b""
        self.random = b""
        self.tried = -1
        self.evicted = False
        self.passes_through = False
        self.since = -1
        self.ended: tuple[int, int] | None = None

    def wants(self, role: cython.int, content_type: cython.int) -> cython.int:
        """Return what will be read of the body of the record that begins now.

        While records are kept, every body can still be needed.
        """
        return self.session.wants(role, content_type) if self.passes_through else BODY

    def take(self, record: Record) -> None:
        """Take a record: pass it on to the session, or keep a copy."""
        if self.passes_through:
            self.session.take(record)
            self.kept = self.session.kept
            return
        if not self.random and record.content_type == HANDSHAKE and record.role == _CLIENT:
            self.match(record)
        if record.content_type in (APPLICATION_DATA, CHANGE_CIPHER_SPEC):
            self.encrypted = True
        self.keep(record.copy())

    def match(self, record: Record) -> None:
        """Look for the ClientHello, which can be divided into several records.

        If there cannot be one, do not wait for secrets.
        """
        if record.version == SSL2:
            self.random = client_random_of(record.body) if is_compatible(record.body) else b""
            self.evicted = len(self.random) == 0
            if not self.evicted:
                self.store.name(self)
            return
        if record.version >> 8 == _DTLS:
            hello: bytes = record.body[record.header :]
            if len(hello) >= _FRAGMENT_ENDS and hello[0] == CLIENT_HELLO and hello[6:9] == _FIRST_FRAGMENT:
                self.random = hello[_FRAGMENT_BEGINS:_FRAGMENT_ENDS]
                self.store.name(self)
            return
        self.hello += record.body[:_RANDOM_ENDS]
        if self.session.flow.mid_stream or (len(self.hello) > 0 and self.hello[0] != CLIENT_HELLO):
            self.evicted = True
        elif len(self.hello) >= _RANDOM_ENDS:
            self.random = self.hello[_RANDOM_BEGINS:_RANDOM_ENDS]
            self.store.name(self)

    def keep(self, record: Record) -> None:
        """Add a record to the queue, and pass on the whole queue if it is time for that."""
        # Callers of compiled code may hold no reference to this object, and `resume` may drop the last one.
        alive: PendingSession = self
        store: PendingSessions = alive.store
        self.queue.append(record)
        if self.since < 0 and record.at >= 0:
            self.since = record.at
            store.due_open = min(store.due_open, record.at + store.longest_wait)
        cost: cython.longlong = len(record.body) + len(record.second) + PENDING_COST
        self.size += cost
        store.size += cost
        if self.evicted:
            self.resume()
            return
        store.match()
        if self.passes_through:
            return
        if self.ready():
            store.note_in_time()
            self.resume()
        elif self.size > MAX_PENDING:
            self.evict()
        elif store.size > MAX_PENDING_TOTAL:
            store.evict()

    def ready(self) -> cython.bint:
        """Return whether the secrets are there. The key log is searched only if it has grown."""
        keylog: KeyLog | None = self.store.material.keylog
        if keylog is None or len(self.random) == 0 or keylog.n_fed == self.tried:
            return False
        self.tried = keylog.n_fed
        known: bool = keylog.has_all_secrets(self.random)
        return known

    def evict(self) -> None:
        """Pass on all records without secrets. `finish` reports if the secrets came after that."""
        self.evicted = True
        self.resume()

    def resume(self) -> None:
        """Pass on all kept records to the session, and pass on those that follow directly."""
        session: Session = self.session
        record: Record
        queue: list[Record] = self.queue
        self.queue = []
        self.passes_through = True
        self.store.forget(self)
        self.size = 0
        for record in queue:
            session.take(record)
        self.kept = session.kept

    def end_role(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Note that there are no more records of a role."""
        if self.passes_through:
            self.session.end_role(role, frame, at)

    def finish(self, frame: cython.longlong, at: cython.longlong) -> cython.bint:
        """Note that the flow has ended. Returns False if the session is still pending."""
        alive: PendingSession = self  # see `keep`
        store: PendingSessions = alive.store
        store.match()
        if not self.passes_through and self.encrypted and len(self.random) > 0 and not self.ready():
            self.ended = frame, at
            store.park(self)
            return False
        if not self.passes_through:
            self.resume()
        elif self.evicted and self.ready():
            detail = "its secrets came when its records had been let go: too many had waited for them"
            self.session.log.add_finding("late_secrets", "medium", detail, self.session.flow.first_frame)
        self.session.finish(frame, at)
        return True

    def end(self) -> Session:
        """End a session whose flow has ended before, and return it."""
        frame, at = self.ended or (0, 0)
        self.resume()
        self.session.finish(frame, at)
        return self.session


class PendingSessions:
    """All pending sessions of a run.

    size: bytes that they keep. parked: those whose flow has ended, by session number; due: the time up to which none of them
    has waited too long; ended: those of them that are not pending any more. due_open: the same time for those that are open.
    longest_wait: how long those that are open wait, longest_parked_wait: those that have ended, and prompt_wait: those after
    patient_until. known: whether any secrets have shown if the log is late. gone: client randoms of sessions that were
    given up; n_late: how many of them had their secrets later. seen: how much of the key log was matched with them. waiting:
    all of them, by session number; named: session numbers by client random. at: the last time.
    """

    __slots__ = (
        "at",
        "due",
        "due_open",
        "ended",
        "gone",
        "known",
        "longest_parked_wait",
        "longest_wait",
        "material",
        "n_late",
        "named",
        "parked",
        "patient_until",
        "prompt_wait",
        "seen",
        "size",
        "waiting",
    )  # fmt: skip

    def __init__(self, material: KeyMaterial) -> None:
        self.material = material
        self.size = 0
        self.seen = -1
        self.at = 0
        self.due = NEVER
        self.due_open = NEVER
        self.longest_wait = material.longest_wait or MAX_PENDING_OPEN
        self.longest_parked_wait = material.longest_wait or MAX_PENDING_TIME
        # A pipe that is no live run is read as fast as it comes: there, the time of the capture says little of the log's.
        self.prompt_wait = min(PROMPT_WAIT, self.longest_parked_wait) if material.longest_wait else self.longest_parked_wait
        self.patient_until = NEVER
        self.known = False
        self.gone: dict[bytes, None] = {}
        self.n_late = 0
        self.waiting: dict[int, PendingSession] = {}
        self.named: dict[bytes, dict[int, None]] = {}
        self.parked: dict[int, PendingSession] = {}
        self.ended: list[Session] = []

    def begin(self, session: Session) -> PendingSession:
        """Make a new session pending. Returns the object that takes its records."""
        pending: PendingSession = PendingSession(session, self)
        self.waiting[session.id] = pending
        return pending

    def name(self, pending: PendingSession) -> None:
        """Note the client random of a pending session; its secrets will have the same one."""
        self.named.setdefault(pending.random, {})[pending.session.id] = None

    def park(self, pending: PendingSession) -> None:
        """Keep a pending session whose flow has ended."""
        if len(self.parked) == 0 and pending.ended is not None:
            self.due = pending.ended[1] + self.prompt_wait
        self.parked[pending.session.id] = pending

    def forget(self, pending: PendingSession) -> None:
        """Remove a session that is not pending any more."""
        self.size -= pending.size
        self.waiting.pop(pending.session.id, None)
        alike = self.named.get(pending.random)
        if alike is not None:
            alike.pop(pending.session.id, None)
            if not alike:
                del self.named[pending.random]

    def note_in_time(self) -> None:
        """Note that the secrets of a session have come while it was open."""
        if not self.known:
            self.known = True
            self.patient_until = self.due = self.at

    def note_late(self) -> None:
        """Note that the secrets of a session have come after its end."""
        self.known = True
        self.patient_until = self.at + PATIENCE

    def give_up(self, pending: PendingSession) -> None:
        """End a session that has ended and waited long enough."""
        if len(self.gone) >= MAX_GONE:
            del self.gone[next(iter(self.gone))]
        self.gone[pending.random] = None
        self.ended.append(pending.end())

    def match(self) -> None:
        """Resume the sessions whose secrets have come since the last call.

        This is done in the order of ids, because a later session can be the TLS resumption of an earlier one.
        """
        keylog: KeyLog | None = self.material.keylog
        if keylog is None or keylog.n_fed == self.seen:
            return
        self.seen = keylog.n_fed
        new_sessions = keylog.new_sessions()
        if new_sessions is not None and not self.gone.keys().isdisjoint(new_sessions):
            for random in new_sessions:
                if random in self.gone:
                    del self.gone[random]
                    self.n_late += 1
            self.note_late()
        concerned = (
            self.waiting
            if new_sessions is None
            else [number for random in new_sessions for number in self.named.get(random, ())]
        )
        for number in sorted(concerned):
            pending: PendingSession = self.waiting[number]
            if not pending.ready():
                continue
            if pending.ended is None:
                self.note_in_time()
                pending.resume()
            else:
                self.note_late()
                del self.parked[number]
                self.ended.append(pending.end())

    def evict(self) -> None:
        """Free memory: evict the sessions that have waited longest, both open and ended ones."""
        for pending in list(self.waiting.values()):
            if self.size <= MAX_PENDING_TOTAL // 2:
                return
            if pending.ended is None:
                pending.evict()
            else:
                del self.parked[pending.session.id]
                self.ended.append(pending.end())

    def tick(self, at: cython.longlong) -> list[Session]:
        """Return the sessions that have waited long enough, by the time of the capture, or whose secrets have come."""
        self.match()
        spare: cython.Py_ssize_t = len(self.parked) - MAX_PENDING_ENDED
        back: cython.bint = self.at - at > self.longest_wait
        self.at = at
        if self.patient_until == NEVER:
            self.patient_until = at + PATIENCE
        if at > self.due_open or back:
            self.let_open_go(at)
        if spare <= 0 and at <= self.due and not back:
            return self.take()
        self.due = NEVER
        wait: cython.longlong = self.longest_parked_wait if at < self.patient_until else self.prompt_wait
        for number in list(self.parked):
            pending: PendingSession = self.parked[number]
            began: cython.longlong = pending.ended[1] if pending.ended is not None else 0
            if spare <= 0 and abs(at - began) <= wait:
                self.due = min(began + wait, max(self.patient_until, began + self.prompt_wait))
                break
            spare -= 1
            del self.parked[number]
            self.give_up(pending)
        return self.take()

    def set_clock(self, forward: cython.longlong) -> None:
        """Go on after the clock of the capture was set forward by so many nanoseconds; back if that is negative."""
        pending: PendingSession
        for pending in list(self.waiting.values()):
            if pending.since >= 0:
                pending.since += forward
            if pending.ended is not None:
                pending.ended = pending.ended[0], pending.ended[1] + forward
        self.at += forward
        self.due = self.due if self.due == NEVER else self.due + forward
        self.due_open = self.due_open if self.due_open == NEVER else self.due_open + forward
        self.patient_until = self.patient_until if self.patient_until == NEVER else self.patient_until + forward

    def let_open_go(self, at: cython.longlong) -> None:
        """Evict the open sessions that have waited too long. The first sessions in `waiting` began first."""
        self.due_open = NEVER
        pending: PendingSession
        for pending in list(self.waiting.values()):
            if pending.ended is not None or pending.since < 0:
                continue
            if abs(at - pending.since) <= self.longest_wait:
                # Sessions whose flows have ended may be before it. They are passed over only some times in each wait.
                self.due_open = max(pending.since + self.longest_wait, at + self.longest_wait // 64)
                break
            pending.evict()

    def take(self) -> list[Session]:
        """Return the sessions that have ended, each only once."""
        ended = self.ended
        self.ended = []
        return ended

    def close(self) -> list[Session]:
        """Return all sessions that are left, in the order of their ids."""
        self.match()
        while self.parked:  # a session can carry another one, which begins and ends with it
            parked, self.parked = self.parked, {}
            for number in sorted(parked):
                pending: PendingSession = parked[number]
                self.ended.append(pending.end())
        return self.take()
