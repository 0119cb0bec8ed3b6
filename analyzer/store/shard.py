"""One of the processes that share captures: reads its part of the sessions, and says what it found, turn by turn.

Every process reads the whole capture, follows all connections and finds all sessions, which is a small part of the work. All
compute in the same way which process reads a session (`Dispatcher.assign`). So they agree on the numbers of the sessions and on
the order in which sessions end, without any communication.

What depends on several sessions is not decided here: `Shards` does that, in the order of the capture. The description of a
session has holes for these values, and notes tell what is needed to fill them.
"""

import mmap
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from analyzer.analysis.fresh_values import fresh_values
from analyzer.analysis.traffic import Traffic
from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.packet_reader import PacketReader
from analyzer.engine import Engine
from analyzer.engine.capture_events import PlainHttp, RevocationSeen
from analyzer.engine.failed_connections import ConnectionFailed
from analyzer.engine.other_traffic import OtherTraffic
from analyzer.store.circumstances import circumstances
from analyzer.store.clock import rfc3339
from analyzer.store.key_proof import key_proofs
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.events import SessionEnded
from analyzer.tls.handshake.resumption import ResumableSession, Resumptions, earlier_session
from analyzer.tls.handshake.resumption_terms import Earlier
from analyzer.tls.limits import MAX_ATTEMPTS_IN_ALL, MAX_TRIALS
from analyzer.tls.session import Session

STOP_MARGIN = 16
"""Turns between the one that the fastest process reads now and the one after which all stop: some milliseconds."""

MAX_CERTIFICATES = 4096
"""Certificates that both ends of a pipe remember, so that each is sent once."""

MAX_ENDED = 1024
"""Sessions in a turn of a process that is alone, where the captures end and so all sessions do. Each takes 10 kB."""

HOLE = b"\0"
"""Stands for a value that is filled in later; JSON has no such byte."""

RESUMES = 2
"""The hole for the key `resumes`; those for chains are the role, CLIENT or SERVER."""

OUTSIDE, UNMATCHED = 1, 2
"""Bits of a variant: the session that is continued is not in the capture; the key log matches no session so far."""

Describe = Callable[[Session, "Holes", bool], bytes]
"""Describes a session that has ended: the session, the stand-in for `Chains`, and whether it is resumed."""


class Turn(NamedTuple):
    """What one process has read of one piece of the capture. Everything in it can be marshalled.

    n_bytes: of the captures that are read so far. revocation: media types and bodies of revocation data; others: key, first
    frame and first bytes of connections to port 443 without TLS; failed: key, first and last frame, and outcome of connections
    that failed before TLS (all three from process 0 only).
    notes: see `NotedResumptions`. ended: the fields of `Ended`, one tuple for each session. certificates: DER of those that
    `ended` names by number, after the earlier ones; renewed: the numbers begin at 0 again. spent: what of the limits of a run
    is used up. is_last: whether the captures have ended. failure: why reading ended, "" if it did not.
    """

    n_bytes: int
    revocation: list[tuple[str, bytes]]
    others: list[tuple[bytes, int, bytes]]
    failed: list[tuple[bytes, int, int, dict[str, Any]]]
    notes: list[tuple[Any, ...]]
    ended: list[tuple[Any, ...]]
    certificates: list[bytes]
    renewed: bool
    spent: tuple[int, ...]
    is_last: bool
    failure: str


class Spent(NamedTuple):
    """What a process has used of the limits of a run. held: bytes that its sessions keep. trials, attempts: see `KeyMaterial`.

    matched: the number of sessions with secrets. inner: streams inside decrypted sessions, of which the others know nothing.
    """

    held: int
    trials: int
    attempts: int
    matched: int
    inner: int


class Ended(NamedTuple):
    """A session that has ended.

    order: its place among all ends. id: its number. key: of its flow. texts: by variant, its description, split at the holes;
    holes: the value that belongs in each. search: the number of the note that looked for the session that it continues, -1 for
    none. chains: by role, certificates by number; changes: role, frame and certificates of later lists. stapled, server_name,
    start, start_text, circumstances, key_proofs: the rest of what `Chains` reads. values: see
    `fresh_values`; issued: as in `Repetitions.take`, if this process knows it; copied: the number of the session whose ticket
    it has without continuing it, -1 for none. earlier: what the rules for resumption need of either
    (`resumption_terms.Earlier`). asked_name: see `Hellos`. asks_chain: see `Holes`.
    """

    order: int
    id: int
    key: bytes
    texts: list[list[bytes]]
    holes: Sequence[int] = ()
    search: int = -1
    chains: tuple[list[int] | None, list[int] | None] = (None, None)
    changes: Sequence[tuple[int, int, list[int]]] = ()
    stapled: Any = None
    server_name: bytes | None = None
    start: int = -1
    start_text: str | None = None
    values: tuple[Any, ...] = ()
    issued: int = -1
    copied: int = -1
    earlier: Earlier | None = None
    asked_name: bytes | None = None
    circumstances: tuple[str, bool | None, bool] = ("", None, False)
    key_proofs: tuple[int, int] = (0, 0)
    asks_chain: bool = False


class NotedResumptions(Resumptions):
    """Notes what a run with all sessions would keep and look for.

    notes: (step, number, server, name, id or None, ticket or None, opens, at, client, terms) of a session that may be resumed;
    (step, number of the search, server, name, id, ticket, client) of a search; (step, number of the search) if the session that
    it finds is to give its master secret. A search returns a session whose number is that of the search, below 0.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._dispatcher = engine.dispatcher
        self.notes: list[tuple[Any, ...]] = []
        self._n_searches = 0

    def keep_id(self, session_id: bytes, session: ResumableSession) -> None:
        """See `Resumptions.keep_id`."""
        self._keep(session, session_id, None)

    def keep_ticket(self, ticket: bytes, session: ResumableSession) -> None:
        """See `Resumptions.keep_ticket`."""
        self._keep(session, None, ticket)

    def find(
        self, ticket: bytes | None, session_id: bytes, server: bytes, name: bytes | None, client: bytes = b""
    ) -> ResumableSession | None:
        """See `Resumptions.find`."""
        if ticket is None and not session_id:
            return None
        self.notes.append((self._dispatcher.steps, self._n_searches, server, name, session_id, ticket, client))
        self._n_searches += 1
        return ResumableSession(-self._n_searches, server, name)

    def secret(self, found: ResumableSession) -> bytes | None:
        """See `Resumptions.secret`."""
        self.notes.append((self._dispatcher.steps, -1 - found.number))
        return None

    def take(self) -> list[tuple[Any, ...]]:
        """Return the notes since the last call."""
        notes, self.notes = self.notes, []
        return notes

    def _keep(self, session: ResumableSession, session_id: bytes | None, ticket: bytes | None) -> None:
        step = self._dispatcher.steps
        kept = session.server, session.name, session_id, ticket, session.opens, session.at, session.client, session.terms
        self.notes.append((step, session.number, *kept))


class Holes:
    """Takes the place of `Chains` where sessions are described: leaves a hole for each verdict. made: the holes, in order.

    asks_chain: whether the outcome has to be completed when the holes are filled.
    """

    def __init__(self) -> None:
        self.made: list[int] = []
        self.asks_chain = False

    def json(self, session: Session, role: int, start: str | None) -> bytes:
        """Leave the hole for the verdict on a role's chain."""
        self.made.append(role)
        return HOLE

    def outcome(self, line: bytes) -> bytes:
        """Note that the verdict decides about the outcome."""
        self.asks_chain = True
        return line

    def resumes(self) -> bytes:
        """Leave the hole for the number of the session that is continued."""
        self.made.append(RESUMES)
        return HOLE


class Progress:
    """How far each process has read, and where all of them stop. The processes share its memory (mmap(2)).

    A process notes each turn before it looks whether the reading stops there. `stop` names a turn that nobody has reached.
    """

    def __init__(self, shards: int) -> None:
        self._turns = memoryview(mmap.mmap(-1, 8 * (shards + 1))).cast("q")

    def ends(self, shard: int, turn: int) -> bool:
        """Return whether a process stops after that turn; turns count from 0."""
        self._turns[shard + 1] = turn
        return 0 < self._turns[0] <= turn

    def stop(self, turn: int = 0) -> None:
        """Let all processes stop after the same turn, which is a few turns from now, or from `turn` if that is later."""
        self._turns[0] = max(turn, *self._turns[1:]) + STOP_MARGIN


class Shard:
    """One process, which reads its part of the sessions. If it is the only one, there are no notes and no variants."""

    def __init__(
        self,
        reader: CaptureReader,
        engine: Mapping[str, Any],
        describe: Describe,
        part: tuple[int, int],
        progress: Progress,
        traffic: Traffic | None = None,
    ) -> None:
        """Prepare the reading.

        reader: of the captures. engine: the arguments of `Engine`. part: the number of this process, and how many there are.
        progress: of all processes. traffic: counts all packets, None if nobody needs that.
        """
        self.reader = reader
        self._part = part
        self._progress = progress
        self._engine = Engine(**engine)
        self._describe = describe
        self._traffic = traffic
        self._resumptions: NotedResumptions | None = None
        self._numbers: dict[bytes, int] = {}
        dispatcher = self._engine.dispatcher
        dispatcher.repetitions = None  # the first process finds them
        dispatcher.frames.places = reader.places
        if part[1] > 1:
            dispatcher.share(*part)
            dispatcher.resumptions = self._resumptions = NotedResumptions(self._engine)

    def turns(self) -> Iterator[Turn]:
        """Read the captures to their end. Raises OSError."""
        for turn, packet_reader in enumerate(self.reader.packet_readers()):
            self._read(packet_reader)
            yield self._turn(deque(self._engine.take()))
            if self._progress.ends(self._part[0], turn):
                self.reader.stop()
        self._engine.close()
        events = deque(self._engine.take())
        while self._part[1] == 1 and len(events) > MAX_ENDED:
            yield self._turn(deque(events.popleft() for _ in range(MAX_ENDED)))
        yield self._turn(events, is_last=True)

    @property
    def n_sessions(self) -> int:
        """The number of sessions found so far, by all processes."""
        return self._engine.dispatcher.count

    def _read(self, packet_reader: PacketReader) -> None:
        if self._traffic is None:
            self._engine.run(packet_reader)
            return
        frame, packet = packet_reader.frame, self._engine.packet
        step, count = self._engine.step, self._traffic.count
        while step(packet_reader):
            count(packet, frame)

    def _turn(self, events: deque[Any], is_last: bool = False) -> Turn:
        renewed = len(self._numbers) > MAX_CERTIFICATES
        if renewed:
            self._numbers.clear()
        revocation: list[tuple[str, bytes]] = []
        others: list[tuple[bytes, int, bytes]] = []
        failed: list[tuple[bytes, int, int, dict[str, Any]]] = []
        certificates: list[bytes] = []
        ended = []
        while events:
            event = events.popleft()  # which frees its session, when it is described
            if isinstance(event, SessionEnded):
                ended.append(tuple(self._ended(event, certificates)))
            elif isinstance(event, RevocationSeen) and self._part[0] == 0:
                revocation.append((event.content_type, event.body))
            elif isinstance(event, OtherTraffic) and self._part[0] == 0:
                others.append((event.key, event.frame, event.head))
            elif isinstance(event, PlainHttp):
                ended.append(tuple(_ended_plain(event)))
            elif isinstance(event, ConnectionFailed):
                failed.append((event.key, event.first_frame, event.last_frame, event.outcome))
        return Turn(
            n_bytes=self.reader.n_bytes(),
            revocation=revocation,
            others=others,
            failed=failed,
            notes=[] if self._resumptions is None else self._resumptions.take(),
            ended=ended,
            certificates=certificates,
            renewed=renewed,
            spent=tuple(self._spent()),
            is_last=is_last,
            failure="",
        )

    def _spent(self) -> Spent:
        material = self._engine.material
        trials, attempts = MAX_TRIALS - material.trials, MAX_ATTEMPTS_IN_ALL - material.attempts
        inner = 0 if material.inner is None else material.inner.n_begun
        return Spent(self._engine.dispatcher.held, trials, attempts, material.matched, inner)

    def _ended(self, event: SessionEnded, fresh: list[bytes]) -> Ended:
        session: Session = event.ended
        handshake = session.handshake
        found = handshake.resumed_from if self._resumptions is not None else None
        server_key = session.flow.server_key()
        client, server = (None if chain is None else self._numbered(chain, fresh) for chain in handshake.certificates)
        texts, holes, asks_chain = self._texts(session, found is not None and bool(handshake.parameters.resumption))
        return Ended(
            order=event.order,
            id=session.id,
            key=session.flow.key,
            texts=texts,
            holes=holes,
            search=-1 if found is None else -1 - found.number,
            chains=(client, server),
            changes=[(role, frame, self._numbered(later, fresh)) for role, frame, later in session.log.certificate_changes],
            stapled=handshake.stapled,
            server_name=handshake.hellos.server_name,
            start=session.flow.start,
            start_text=rfc3339(session.flow.start) if client or server else None,
            values=fresh_values(session),
            issued=-1 if found is not None or handshake.resumed_from is None else handshake.resumed_from.at,
            copied=-1 if handshake.copied_from is None or not handshake.parameters.resumption else handshake.copied_from.number,
            earlier=None if found is not None else earlier_session(handshake.copied_from or handshake.resumed_from, server_key),
            asked_name=handshake.hellos.asked_name(),
            circumstances=circumstances(session).values() if server else ("", None, False),
            key_proofs=key_proofs(session),
            asks_chain=asks_chain,
        )

    def _texts(self, session: Session, resumed: bool) -> tuple[list[list[bytes]], list[int], bool]:
        """Return the variants of a session's description, their holes, and whether the outcome asks for the verdict.

        If all variants are the same, there is only one.
        """
        material: KeyMaterial = self._engine.material
        handshake, matched, found = session.handshake, material.matched, session.handshake.resumed_from
        first, made, asks_chain = self._text(session, resumed)
        work = handshake.decryption
        opened = work is not None and work.records > 0 and work.failed == 0
        if self._resumptions is None or not material.given or opened or (matched and not resumed):
            return [first], made, asks_chain
        texts = []
        for variant in range(4):
            handshake.resumed_from = None if variant & OUTSIDE else found  # type: ignore[assignment]
            material.matched = 0 if variant & UNMATCHED else max(matched, 1)
            texts.append(self._text(session, resumed)[0])
        handshake.resumed_from, material.matched = found, matched
        return ([first] if texts == [first] * 4 else texts), made, asks_chain

    def _text(self, session: Session, resumed: bool) -> tuple[list[bytes], list[int], bool]:
        holes = Holes()
        text = self._describe(session, holes, resumed)
        return (text.split(HOLE) if holes.made else [text]), holes.made, holes.asks_chain

    def _numbered(self, chain: Sequence[bytes], fresh: list[bytes]) -> list[int]:
        for der in chain:
            if der not in self._numbers:
                self._numbers[der] = len(self._numbers)
                fresh.append(der)
        return [self._numbers[der] for der in chain]


def _ended_plain(event: PlainHttp) -> Ended:
    """Return the exchanges of a connection without TLS in the place of a session. Its number is -1, its text their records."""
    from analyzer.store.http_record import plain_exchanges

    return Ended(event.order, event.session, event.key, [[orjson.dumps(plain_exchanges(event))]])
