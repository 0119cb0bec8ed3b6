"""Reads captures in several processes. Each one reads a part of the sessions; this one is the first of them.

See `Shard` for how they share the work. What depends on several sessions is done here, in the order of the capture: which
session a resumed one continues, and the verdicts on chains, which can use certificates and revocation data seen before.

The output is the same for any number of processes. A run has limits for all sessions together, and up to TLS 1.2 a resumed
session can need the secret of another one. If processes reach such a limit, or need such a secret, this process goes on alone:
it reads the captures once more from the beginning, up to where the output stands.
"""

import fcntl
import gc
import heapq
import marshal
import os
import signal
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import orjson

from analyzer.analysis.capture_findings import MAX_OTHERS
from analyzer.analysis.repetitions import Repetitions, resumption_repeats
from analyzer.analysis.traffic import Traffic
from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine.capture_events import RevocationSeen
from analyzer.flows.limits import HELD_TOTAL
from analyzer.store.chain_verdicts import CLIENT, SERVER, Chains
from analyzer.store.circumstances import Circumstances
from analyzer.store.session_record import finding_record
from analyzer.store.shard import (
    OUTSIDE,
    RESUMES,
    UNMATCHED,
    Describe,
    Ended,
    Progress,
    Shard,
    Spent,
    Turn,
)
from analyzer.tls.events import Finding
from analyzer.tls.handshake.resumption import ResumableSession, Resumptions, earlier_session
from analyzer.tls.handshake.resumption_terms import Earlier
from analyzer.tls.limits import FARTHEST_RECORD, MAX_ATTEMPTS_IN_ALL, MAX_CANDIDATES, MAX_TRIALS

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from analyzer.tls.session import Session

PIPE_SIZE = 1 << 20
"""Bytes that another process may be ahead of this one."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

MAX_AHEAD = 16
"""Turns that this process may be ahead of the others."""

MOST = Spent(HELD_TOTAL - (64 << 20), MAX_TRIALS - 1, MAX_ATTEMPTS_IN_ALL - FARTHEST_RECORD * MAX_CANDIDATES, sys.maxsize, 0)
"""What all processes together may use. With less than this, one process would not reach a limit either.

Of streams inside sessions there may be none: a session in one of them would need a number, and only one process sees it.
"""


class ShardError(Exception):
    """Another process could not read its part."""


class _CannotShareError(Exception):
    """The work cannot be shared any more."""


@dataclass(slots=True)
class _Unmade:
    """Connections that never became a session; see `Turn`."""

    others: list[tuple[bytes, int, bytes]]
    failed: list[tuple[bytes, int, int, dict[str, Any]]]


@dataclass(slots=True)
class _Flow:
    start: int


@dataclass(slots=True)
class _Hellos:
    server_name: bytes | None


@dataclass(slots=True)
class _Handshake:
    certificates: tuple[list[bytes] | None, list[bytes] | None]
    stapled: Any
    hellos: _Hellos


@dataclass(slots=True)
class _Log:
    certificate_changes: list[tuple[int, int, list[bytes]]]


@dataclass(slots=True)
class _Session:
    """As much of a `Session` as verdicts on its chains and the list of certificates need."""

    id: int
    flow: _Flow
    handshake: _Handshake
    log: _Log
    circumstances: Circumstances
    key_proofs: tuple[int, int]


class SharedSession:
    """A session that one of the processes has read. id: its number. key: of its flow."""

    __slots__ = ("_certificates", "_ended", "_repeats", "_resumes", "_text", "id", "key")

    def __init__(
        self, ended: Ended, certificates: list[bytes], resumes: int | None, n_matched: int, repeats: list[Finding]
    ) -> None:
        """Prepare the description.

        certificates: those that `ended` names by number. resumes: the number of the session that it continues, None if there is
        none. n_matched: how many sessions have secrets so far. repeats: findings about what it repeats.
        """
        self.id = ended.id
        self.key = ended.key
        self._ended = ended
        self._certificates = certificates
        self._resumes = resumes
        self._repeats = repeats
        variant = (OUTSIDE if resumes is None else 0) | (0 if n_matched else UNMATCHED)
        self._text = ended.texts[variant if len(ended.texts) > 1 else 0]

    def as_session(self) -> "Session":
        """Return an object for functions that read only number, start and certificates of a session."""
        ended, known = self._ended, self._certificates
        client, server = (None if chain is None else [known[number] for number in chain] for chain in ended.chains)
        session = _Session(
            ended.id,
            _Flow(ended.start),
            _Handshake((client, server), ended.stapled, _Hellos(ended.server_name)),
            _Log([(role, frame, [known[number] for number in later]) for role, frame, later in ended.changes]),
            Circumstances(*ended.circumstances),
            ended.key_proofs,
        )
        return cast("Session", session)

    def describe(self, chains: Chains) -> bytes:
        """Return the description, with the verdicts on its chains.

        Call this at most once, before the sessions of the next turn are taken, and in the order of the sessions.
        """
        ended, text = self._ended, self._text
        if not ended.holes:
            return self._with_repeats(chains.outcome(text[0]) if ended.asks_chain else text[0])
        whole = [text[0]]
        session = None
        for hole, after in zip(ended.holes, text[1:], strict=True):
            if hole == RESUMES:
                whole.append(b"null" if self._resumes is None else b"%d" % self._resumes)
            else:
                session = session or self.as_session()
                whole.append(chains.json(session, SERVER if hole == SERVER else CLIENT, ended.start_text))
            whole.append(after)
        line = b"".join(whole)
        return self._with_repeats(chains.outcome(line) if ended.asks_chain else line)

    def _with_repeats(self, text: bytes) -> bytes:
        """Return a record with the findings about what the session repeats. Few sessions have any."""
        if not self._repeats:
            return text
        record = orjson.loads(text)
        record["findings"] += [finding_record(finding) for finding in self._repeats]
        return orjson.dumps(record)


class Shards:
    """The processes of a run.

    reader: of the captures, in this process. traffic: of all packets, if it is counted. n_sessions: how many sessions the
    captures have, known at the end. repetitions: what sessions have in common.
    """

    def __init__(
        self,
        reader: CaptureReader,
        shards: int,
        engine: Mapping[str, Any],
        describe: Describe,
        chains: Chains,
        traffic: bool = False,
        records: bool = False,
    ) -> None:
        """Prepare a run.

        engine, describe: see `Shard`. chains: takes the revocation data. traffic: whether packets are counted. records:
        whether sessions are described by their records, as JSON. All processes read the files up to their present ends. Raises
        OSError.
        """
        self.reader = reader
        reader.sizes = {path: os.stat(path).st_size for path in reader.paths}
        self.traffic = Traffic()
        self._counts = traffic
        self._has_records = records
        self._n_shards = shards
        self._engine = dict(engine)
        self._describe: Describe = describe
        self._chains = chains
        self.repetitions = Repetitions()
        self.n_sessions = 0
        self._n_merged = 0
        self._n_skipped = 0
        self._is_stopped = False
        self._begin()

    def stop(self) -> None:
        """End the captures soon; what all processes have read until then comes. For a signal handler."""
        self._is_stopped = True
        self._progress.stop(self._n_skipped)

    def turns(self) -> Iterator[list[SharedSession]]:
        """Read the captures. Yield for each piece the sessions that ended, in the order of their ends.

        Raises ShardError if another process ends too early, and OSError.
        """
        with suppress(_CannotShareError):
            yield from self._shared()
            return
        self._n_skipped = self._n_merged  # behind the handler, which would keep alive what the processes have read
        gc.collect()  # what they have read has circles
        self._n_merged = 0
        self._n_shards = 1
        self.reader = CaptureReader(self.reader.paths, self.reader.hashing, sizes=self.reader.sizes)
        self.traffic = Traffic()
        self._begin()
        if self._is_stopped:
            self._progress.stop(self._n_skipped)
        yield from self._shared()

    def take_failed(self) -> list[tuple[bytes, int, int, dict[str, Any]]]:
        """Return the connections that failed before TLS began, since the last call; see `Turn`."""
        failed = self._unmade.failed[:]
        self._unmade.failed.clear()
        return failed

    @property
    def others(self) -> list[tuple[bytes, int, bytes]]:
        """Connections to port 443 without TLS; see `Turn`."""
        return self._unmade.others

    def _begin(self) -> None:
        self._progress = Progress(self._n_shards)
        self._unmade = _Unmade([], [])
        self._resumptions = Resumptions()
        self._found: list[dict[int, ResumableSession | None]] = [{} for _ in range(self._n_shards)]
        self._copied: list[dict[int, int]] = [{} for _ in range(self._n_shards)]
        self._earlier: list[dict[int, Earlier | None]] = [{} for _ in range(self._n_shards)]
        self._certificates: list[list[bytes]] = [[] for _ in range(self._n_shards)]

    def _shared(self) -> Iterator[list[SharedSession]]:
        own: deque[Turn] = deque()
        pipes: list[Connection] = []
        processes: list[Any] = []
        try:
            self._start(pipes, processes)
            traffic = self.traffic if self._counts else None
            shard = Shard(self.reader, self._engine, self._describe, (0, self._n_shards), self._progress, traffic)
            try:
                for turn in shard.turns():
                    own.append(turn)
                    while own and (turn.is_last or len(own) > MAX_AHEAD or all(pipe.poll() for pipe in pipes)):
                        yield self._merged([own.popleft(), *map(self._receive, pipes)])
            except OSError:  # what was read before it comes first
                while own:
                    yield self._merged([own.popleft(), *map(self._receive, pipes)])
                raise
            self.n_sessions = shard.n_sessions
        finally:
            for pipe in pipes:
                pipe.close()
            for process in processes:
                process.kill()
                process.join()

    def _start(self, pipes: list["Connection"], processes: list[Any]) -> None:
        if self._n_shards == 1:
            return
        from multiprocessing import get_context

        context = get_context("fork")
        # A process that has not yet begun to ignore signals must not hear of them.
        signals = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            for shard in range(1, self._n_shards):
                ours, theirs = context.Pipe(duplex=False)
                with suppress(PermissionError):  # a user has so much for pipes (pipe(7)); a small pipe is only slower
                    fcntl.fcntl(theirs.fileno(), fcntl.F_SETPIPE_SZ, PIPE_SIZE)
                pipes.append(ours)
                reader = CaptureReader(self.reader.paths, sizes=self.reader.sizes)
                arguments = (reader, self._engine, self._describe, (shard, self._n_shards), self._progress, theirs, pipes)
                process = context.Process(target=_work, args=arguments, daemon=True)
                process.start()
                theirs.close()
                processes.append(process)
        except OSError as error:
            raise _CannotShareError from error
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

    def _merged(self, turns: Sequence[Turn]) -> list[SharedSession]:
        """Return the sessions of a turn. Raises _CannotShareError before anything of the turn has an effect on verdicts."""
        if any((turn.n_bytes, turn.is_last) != (turns[0].n_bytes, turns[0].is_last) for turn in turns):
            raise ShardError("the captures have changed while they were read")
        spent = Spent._make(map(sum, zip(*(turn.spent for turn in turns), strict=True)))
        if len(turns) > 1 and any(used > most for used, most in zip(spent, MOST, strict=True)):
            raise _CannotShareError
        for _, shard, note in heapq.merge(*([(note[0], n, note) for note in turn.notes] for n, turn in enumerate(turns))):
            self._follow(shard, note)
        for shard, turn in enumerate(turns):
            if turn.renewed:
                self._certificates[shard].clear()
            self._certificates[shard] += turn.certificates
        self._unmade.others.extend(turns[0].others[: MAX_OTHERS + 1 - len(self.others)])
        self._n_merged += 1
        if self._n_merged <= self._n_skipped:
            return []
        self._unmade.failed.extend(turns[0].failed)
        self._chains.take([RevocationSeen(kind, body) for kind, body in turns[0].revocation])
        ended = heapq.merge(*([(one[0], one[1], n, one) for one in turn.ended] for n, turn in enumerate(turns)))
        return [self._session(shard, Ended._make(one), spent.matched) for _, _, shard, one in ended]

    def _follow(self, shard: int, note: tuple[Any, ...]) -> None:
        number = note[1]
        if len(note) == 2:
            found = self._found[shard][number]
            if found is not None and found.opens:
                raise _CannotShareError
        elif len(note) == 7:
            _, _, server, name, session_id, ticket, client = note
            found = self._resumptions.find(ticket, session_id, server, name)
            self._earlier[shard][number] = earlier_session(found, server)
            if found is not None and not found.is_between(client, server, name):
                if found.opens:  # only secrets can show whether it is continued
                    raise _CannotShareError
                if not found.may_be_between(client, server, name):
                    self._copied[shard][number] = found.number
                else:
                    self._earlier[shard][number] = None
                found = None
            self._found[shard][number] = found
        else:
            _, _, server, name, session_id, ticket, opens, at, client, terms = note
            session = ResumableSession(number, server, name, opens, at, client, terms)
            if ticket is None:
                self._resumptions.keep_id(session_id, session)
            else:
                self._resumptions.keep_ticket(ticket, session)

    def _session(self, shard: int, ended: Ended, n_matched: int) -> SharedSession:
        found = self._found[shard].pop(ended.search, None)
        chain, known = ended.chains[SERVER], self._certificates[shard]
        leaf = known[chain[0]] if chain else None
        issued = ended.issued if found is None else found.at
        repeats: list[Finding] = []
        copied = self._copied[shard].pop(ended.search, ended.copied)
        earlier = self._earlier[shard].pop(ended.search, ended.earlier)
        if self._has_records:
            repeats = self.repetitions.take(ended.id, ended.key, ended.start, ended.values, leaf, ended.server_name, issued)
            if ended.values[9] is not None and (copied >= 0 or earlier is not None):
                repeats = resumption_repeats(ended.values, earlier, ended.asked_name, copied) + repeats
        return SharedSession(ended, known, None if found is None else found.number, n_matched, repeats)


def _work(
    reader: CaptureReader,
    engine: Mapping[str, Any],
    describe: Describe,
    part: tuple[int, int],
    progress: Progress,
    pipe: "Connection",
    inherited: Sequence["Connection"],
) -> None:
    """Run a shard in a new process. inherited: the other ends of pipes, open here only because the process is a copy.

    They are closed: then writing fails when the first process has ended, and this one ends too.
    """
    for number in _SIGNALS:  # they go to all processes of a group; the first process ends the others
        signal.signal(number, signal.SIG_IGN)
    for end in inherited:
        end.close()
    with suppress(BrokenPipeError):
        try:
            for turn in Shard(reader, engine, describe, part, progress).turns():
                pipe.send_bytes(marshal.dumps(tuple(turn)))
        except BrokenPipeError:
            raise
        except OSError as error:
            failure = str(error.strerror) if error.filename is None else f"{error.filename}: {error.strerror}"
            pipe.send_bytes(marshal.dumps(tuple(Turn(0, [], [], [], [], [], [], False, (0, 0, 0, 0), True, failure))))
