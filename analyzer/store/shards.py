"""Reads captures in several processes. Each one reads a part of the sessions.

Every process reads the whole capture, follows all connections and finds all sessions, which is a small part of the work. All
compute in the same way which process reads a session (`Dispatcher.assign`). So they agree on the numbers of the sessions and on
the order in which sessions end, without any communication.

What depends on several sessions is done in the first process, in the order of the capture: which session a resumed one
continues, and the verdicts on chains, which can use certificates and revocation data that were seen before. The others send
notes about resumption, and records as JSON with holes for these values. So the output is the same for any number of processes.

This is for captures without keys: up to TLS 1.2, a resumed session is decrypted with the secret of another session.
"""

import fcntl
import heapq
import marshal
import pickle
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from analyzer.capture.capture_reader import CaptureReader, FileFacts
from analyzer.engine import Engine
from analyzer.engine.capture_events import RevocationSeen
from analyzer.flows.limits import HELD_TOTAL
from analyzer.store.chain_verdicts import CLIENT, SERVER, Chains
from analyzer.store.session_json import session_json
from analyzer.store.session_record import rfc3339
from analyzer.tls.events import SessionEnded
from analyzer.tls.handshake.resumption import ResumableSession, Resumptions
from analyzer.tls.session import Session

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

PIPE_SIZE = 1 << 20
"""Bytes that a process may be ahead of the first one."""

MAX_CERTIFICATES = 4096
"""Certificates that both ends of a pipe remember, so that each is sent once."""

MOST_HELD = HELD_TOTAL - (64 << 20)
"""Bytes that the sessions of one process may keep. At HELD_TOTAL the process would evict connections that the others follow."""

_HOLE = b"\0"
"""Stands for a value that is filled in later; JSON has no such byte."""

_RESUMES = 2
"""The hole for the key `resumes`; those for chains are the role, CLIENT or SERVER."""


class Turn(NamedTuple):
    """What one process has read of one piece of the capture. Everything in it can be marshalled.

    n_bytes: of the captures that are read so far. revocation: media types and bodies of revocation data (from process 0 only).
    notes: see `NotedResumptions`. ended: the fields of `Ended`, one tuple for each session. certificates: DER of those that
    `ended` names by number, after the earlier ones; renewed: the numbers begin at 0 again. files: at the end, the facts of the
    files, pickled, else b"". failure: why reading ended, "" if it did not.
    """

    n_bytes: int
    revocation: list[tuple[str, bytes]]
    notes: list[tuple[Any, ...]]
    ended: list[Any]
    certificates: list[bytes]
    renewed: bool
    files: bytes
    failure: str


class Ended(NamedTuple):
    """A session that has ended.

    order: its place among all ends. id: its number. parts: its JSON record, split at the holes; holes: the value that belongs
    in each. unresumed: the parts if no other session is found that it continues; None if they differ only in the hole. search:
    the number of the note that looked for that session, -1 for none. chains: by role, certificates by number. stapled,
    server_name, start, start_text: the rest of what `Chains` reads.
    """

    order: int
    id: int
    parts: list[bytes]
    holes: list[int]
    unresumed: list[bytes] | None
    search: int
    chains: tuple[list[int] | None, list[int] | None]
    stapled: Any
    server_name: bytes | None
    start: int
    start_text: str | None


class ShardError(Exception):
    """A process could not read its part."""


class NotedResumptions(Resumptions):
    """Notes what a run with all sessions would keep and look for.

    notes: (step, number, server, name, id or None, ticket or None) of a session that may be resumed, and (step, number of the
    note, server, name, id, ticket, None) of a search. A search returns a session whose number is that of the note, below 0.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._dispatcher = engine.dispatcher
        self.notes: list[tuple[Any, ...]] = []
        self._n_searches = 0

    def keep_id(self, session_id: bytes, session: ResumableSession) -> None:
        """See `Resumptions.keep_id`."""
        self.notes.append((self._dispatcher.steps, session.number, session.server, session.name, session_id, None))

    def keep_ticket(self, ticket: bytes, session: ResumableSession) -> None:
        """See `Resumptions.keep_ticket`."""
        self.notes.append((self._dispatcher.steps, session.number, session.server, session.name, None, ticket))

    def find(self, ticket: bytes | None, session_id: bytes, server: bytes, name: bytes | None) -> ResumableSession | None:
        """See `Resumptions.find`."""
        if ticket is None and not session_id:
            return None
        self.notes.append((self._dispatcher.steps, self._n_searches, server, name, session_id, ticket, None))
        self._n_searches += 1
        return ResumableSession(-self._n_searches, server, name)


class _Holes:
    """Takes the place of `Chains` where records are made: leaves a hole for each verdict."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def json(self, session: Session, role: int, start: str | None) -> bytes:
        self.made.append(role)
        return _HOLE


class Shard:
    """One process: reads captures, and sends a `Turn` for each piece."""

    def __init__(self, paths: Sequence[str], shard: int, shards: int, messages: bool, pipe: "Connection") -> None:
        self._reader = CaptureReader(paths)
        self._engine = Engine(fields=messages, watches_revocation=True)
        self._engine.dispatcher.share(shard, shards)
        self._resumptions = NotedResumptions(self._engine)
        self._engine.dispatcher.resumptions = self._resumptions
        self._is_first = shard == 0
        self._messages = messages
        self._pipe = pipe
        self._numbers: dict[bytes, int] = {}

    def run(self) -> None:
        """Read the captures to their end."""
        try:
            self._reader.check()
            for packet_reader in self._reader.packet_readers():
                self._engine.run(packet_reader)
                if self._engine.dispatcher.held > MOST_HELD:
                    self._send(failure="the open sessions need too much memory for several processes: use -j 1")
                    return
                self._send()
        except OSError as error:
            self._send(failure=f"{error.filename}: {error.strerror}")
            return
        self._engine.close()
        self._send(files=pickle.dumps(list(self._reader.files)))

    def _send(self, files: bytes = b"", failure: str = "") -> None:
        renewed = len(self._numbers) > MAX_CERTIFICATES
        if renewed:
            self._numbers.clear()
        events = self._engine.take()
        revocation: list[tuple[str, bytes]] = []
        certificates: list[bytes] = []
        ended = []
        for event in events:
            if isinstance(event, SessionEnded):
                ended.append(tuple(self._ended(event, certificates)))
            elif isinstance(event, RevocationSeen) and self._is_first:
                revocation.append((event.content_type, event.body))
        notes, self._resumptions.notes = self._resumptions.notes, []
        turn = Turn(self._reader.n_bytes(), revocation, notes, ended, certificates, renewed, files, failure)
        self._pipe.send_bytes(marshal.dumps(tuple(turn)))

    def _ended(self, event: SessionEnded, fresh: list[bytes]) -> Ended:
        session: Session = event.ended
        handshake = session.handshake
        found = handshake.resumed_from
        search = -1 if found is None else -1 - found.number
        resumed = found is not None and bool(handshake.parameters.resumption)
        parts, holes, start = self._parts(session, resumed)
        unresumed = None
        if resumed and handshake.decryption is not None:
            handshake.resumed_from = None  # type: ignore[assignment]
            unresumed = self._parts(session, True)[0]
        client, server = (self._numbered(chain, fresh) for chain in handshake.certificates)
        name, stapled = handshake.hellos.server_name, handshake.stapled
        return Ended(
            event.order,
            session.id,
            parts,
            holes,
            unresumed,
            search,
            (client, server),
            stapled,
            name,
            session.flow.start,
            start,
        )

    def _parts(self, session: Session, resumed: bool) -> tuple[list[bytes], list[int], str | None]:
        holes = _Holes()
        line = session_json(session, self._messages, holes, _HOLE if resumed else None)
        made = [_RESUMES, *holes.made] if resumed else holes.made
        return line.split(_HOLE), made, rfc3339(session.flow.start)

    def _numbered(self, chain: Sequence[bytes] | None, fresh: list[bytes]) -> list[int] | None:
        if chain is None:
            return None
        for der in chain:
            if der not in self._numbers:
                self._numbers[der] = len(self._numbers)
                fresh.append(der)
        return [self._numbers[der] for der in chain]


@dataclass(slots=True)
class _Flow:
    start: int


@dataclass(slots=True)
class _Hellos:
    server_name: bytes | None


@dataclass(slots=True)
class _Handshake:
    certificates: list[list[bytes] | None]
    stapled: Any
    hellos: _Hellos


@dataclass(slots=True)
class _Session:
    """As much of a `Session` as `Chains` reads."""

    flow: _Flow
    handshake: _Handshake


class Shards:
    """The processes of a run. n_bytes: of the captures that are read. files: the facts of the captures, at the end."""

    def __init__(self, paths: Sequence[str], shards: int, messages: bool, chains: Chains) -> None:
        """messages: whether records have the decoded fields of messages."""
        self._chains = chains
        self._resumptions = Resumptions()
        self._found: list[dict[int, int | None]] = [{} for _ in range(shards)]
        self._certificates: list[list[bytes]] = [[] for _ in range(shards)]
        self.n_bytes = 0
        self.files: list[FileFacts] = []
        self._paths = list(paths)
        self._messages = messages

    def turns(self) -> Iterator[list[tuple[int, bytes]]]:
        """Read the captures. Yield for each piece the sessions that ended: id and JSON record, in the order of their ends.

        Raises ShardError if a capture cannot be read, or a process ends too early.
        """
        pipes: list[Connection] = []
        processes: list[Any] = []
        try:
            self._start(pipes, processes)
            while not self.files:
                yield self._merged([self._receive(pipe) for pipe in pipes])
        finally:
            for pipe in pipes:
                pipe.close()
            for process in processes:
                process.kill()
                process.join()

    def _start(self, pipes: list["Connection"], processes: list[Any]) -> None:
        from multiprocessing import get_context

        context = get_context("fork")
        # A process that has not yet begun to ignore Ctrl-C must not hear of it.
        signals = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            for shard in range(len(self._found)):
                ours, theirs = context.Pipe(duplex=False)
                fcntl.fcntl(theirs.fileno(), fcntl.F_SETPIPE_SZ, PIPE_SIZE)
                pipes.append(ours)
                part = shard, len(self._found)
                process = context.Process(target=_work, args=(self._paths, part, self._messages, theirs, pipes), daemon=True)
                process.start()
                theirs.close()
                processes.append(process)
        except OSError as error:
            raise ShardError(f"{len(self._found)} processes cannot be started: {error.strerror}; use -j 1") from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, signals)

    def _receive(self, pipe: "Connection") -> Turn:
        try:
            turn = Turn._make(marshal.loads(pipe.recv_bytes()))  # noqa: S302 - from a process of our own
        except (EOFError, OSError):  # between two messages, or within one
            raise ShardError("a process that reads a part of the sessions ended too early") from None
        if turn.failure:
            raise ShardError(turn.failure)
        return turn

    def _merged(self, turns: Sequence[Turn]) -> list[tuple[int, bytes]]:
        self.n_bytes = turns[0].n_bytes
        if any((turn.n_bytes, bool(turn.files)) != (self.n_bytes, bool(turns[0].files)) for turn in turns):
            raise ShardError("the captures have changed while they were read")
        if turns[0].files:
            self.files = pickle.loads(turns[0].files)  # noqa: S301 - from a process of our own
        self._chains.take([RevocationSeen(kind, body) for kind, body in turns[0].revocation])
        for shard, turn in enumerate(turns):
            if turn.renewed:
                self._certificates[shard].clear()
            self._certificates[shard] += turn.certificates
        for _, shard, note in heapq.merge(*([(note[0], n, note) for note in turn.notes] for n, turn in enumerate(turns))):
            self._follow(shard, note)
        ended = heapq.merge(*([(one[0], n, one) for one in turn.ended] for n, turn in enumerate(turns)))
        return [(one[1], self._filled(shard, Ended._make(one))) for _, shard, one in ended]

    def _follow(self, shard: int, note: tuple[Any, ...]) -> None:
        _, number, server, name, session_id, ticket = note[:6]
        if len(note) == 7:
            found = self._resumptions.find(ticket, session_id, server, name)
            self._found[shard][number] = None if found is None else found.number
        elif ticket is None:
            self._resumptions.keep_id(session_id, ResumableSession(number, server, name))
        else:
            self._resumptions.keep_ticket(ticket, ResumableSession(number, server, name))

    def _filled(self, shard: int, ended: Ended) -> bytes:
        resumes = self._found[shard].pop(ended.search, None)
        parts = ended.parts if ended.unresumed is None or resumes is not None else ended.unresumed
        if not ended.holes:
            return parts[0] + b"\n"
        known = self._certificates[shard]
        chains: list[list[bytes] | None] = [
            None if chain is None else [known[number] for number in chain] for chain in ended.chains
        ]
        session: Any = _Session(_Flow(ended.start), _Handshake(chains, ended.stapled, _Hellos(ended.server_name)))
        line = [parts[0]]
        for hole, part in zip(ended.holes, parts[1:], strict=True):
            if hole == _RESUMES:
                line.append(b"null" if resumes is None else b"%d" % resumes)
            else:
                line.append(self._chains.json(session, SERVER if hole == SERVER else CLIENT, ended.start_text))
            line.append(part)
        return b"".join([*line, b"\n"])


def can_share() -> bool:
    """Return whether this system can divide a process safely."""
    return sys.platform == "linux"


def _work(
    paths: Sequence[str], part: tuple[int, int], messages: bool, pipe: "Connection", inherited: Sequence["Connection"]
) -> None:
    """Run a shard in a new process. inherited: the other ends of pipes, open here only because the process is a copy.

    They are closed: then writing fails when the first process has ended, and this one ends too.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    for end in inherited:
        end.close()
    try:
        Shard(paths, *part, messages, pipe).run()
    except BrokenPipeError:
        return
