"""The records of a run whose sessions are shared by several processes; what comes out is as if one process had all.

This process reads the capture as far as the TLS records; each worker has some of the sessions (`tls.envoy`, `clerk`). A turn is
what was read at once: its sessions are put together when all workers have replied to it, so order and contents hang on the
capture alone, and not on who is faster.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from types import TracebackType
from typing import Any

import orjson

from analyzer.engine import Engine
from analyzer.store.chains import CLIENT, SERVER, Chains, Presented
from analyzer.store.clerk import Clerk, gets_number
from analyzer.store.record import rfc3339
from analyzer.store.records import Ended, Records
from analyzer.tls.audience import ELSEWHERE
from analyzer.tls.envoy import Envoy, Router
from analyzer.tls.links import Links, Origin
from analyzer.workers import Workers, loads
from analyzer.x509.clear_http import AnsweringSessions

TURNS = 4
"""Turns that go to the workers at once: a megabyte of the capture."""

AHEAD = 8
"""Messages without a reply after which the sender waits: enough to keep all busy, little enough to keep memory small."""


class Answers:
    """Keeps what clear HTTP says of certificates until the turn that it came in is put together."""

    def __init__(self, answers: Callable[[], Any]) -> None:
        self._answers = answers
        self.taken: list[tuple[str, bytes]] = []

    def take(self, content_type: str, body: bytes) -> None:
        """As `x509.answers.Answers.take`."""
        self.taken.append((content_type, body))

    def give(self, taken: Sequence[tuple[str, bytes]]) -> None:
        """Let verdicts rest on these from now on."""
        for content_type, body in taken:
            self._answers().take(content_type, body)


@dataclass(frozen=True, slots=True)
class _Turn:
    ended: list[Envoy]
    answers: list[tuple[str, bytes]]


class Line(Ended):
    """A session that another process had; its record comes as a line."""

    __slots__ = ("_line",)

    def __init__(self, session: Envoy, line: bytes) -> None:
        self.session = session
        self._line = line

    def record(self) -> dict[str, Any]:
        """As in the class above."""
        record: dict[str, Any] = orjson.loads(self._line)
        return record

    def line(self) -> bytes:
        """As in the class above."""
        return self._line


class Crew(Records):
    """As in the class above, with the sessions of the engine in other processes."""

    def __init__(self, engine: Engine, chains: Chains, n_workers: int, messages: bool) -> None:
        """The workers have the secrets that `engine` has now, and hear of none that come later."""
        Records.__init__(self, engine, chains, messages)
        self._workers = Workers(n_workers, Clerk(engine.secrets, messages).work)
        self._router = Router(n_workers, engine.secrets.given)
        sessions = engine.sessions
        sessions.router = self._router
        self._answers = Answers(chains.answers)
        if isinstance(sessions, AnsweringSessions):
            sessions.answers = lambda: self._answers
        self._turns: deque[_Turn] = deque()
        self._n_unsent = 0
        self._n_waiting = 0
        self._held = 0
        self._links = Links()
        self._resumed: dict[int, int | None] = {}
        self._known: list[list[tuple[bytes, ...]]] = [[] for _ in range(n_workers)]

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._workers.__exit__(kind, error, trace)

    def take(self) -> Iterator[Ended]:
        """As in the class above: what is ready by now, which may be of earlier turns."""
        self._turns.append(_Turn(self._engine.drain(), self._answers.taken))
        self._answers.taken = []
        self._router.end_turn()
        self._n_unsent += 1
        if self._n_unsent == TURNS:
            self._send()
            if self._n_waiting > AHEAD:
                yield from self._receive()

    def close(self) -> Iterator[Ended]:
        """As in the class above."""
        self._engine.close()
        yield from self.take()
        if self._n_unsent:
            self._send()
        while self._n_waiting:
            yield from self._receive()

    def _send(self) -> None:
        self._workers.send(self._router.take())
        self._n_unsent = 0
        self._n_waiting += 1

    def _receive(self) -> Iterator[Ended]:
        """Put together the turns that all workers have replied to."""
        replies = [loads(reply) for reply in self._workers.receive()]
        self._n_waiting -= 1
        for done in zip(*replies, strict=True):
            turn = self._turns.popleft()
            matched = any(n_matched for n_matched, _, _, _ in done)
            self._link(sorted((note for _, _, notes, _ in done for note in notes), key=itemgetter(0)))
            self._answers.give(turn.answers)
            records = [iter(ended) for _, _, _, ended in done]
            for envoy in turn.ended:
                yield Line(envoy, self._line(envoy, next(records[envoy.process]), matched))
        held = sum(held for _, held, _, _ in done)
        self._engine.sessions.held += held - self._held
        self._held = held

    def _link(self, notes: list[tuple[int, bytes, int, bool]]) -> None:
        """Take what workers noted of tickets, in the order of frames."""
        for _, name, number, given in notes:
            if given:
                self._links.keep_ticket(name, Origin(number, b"", None))
            else:
                origin = self._links.by_identity(number, name)
                self._resumed[number] = None if origin is None else origin.number

    def _line(self, envoy: Envoy, record: tuple[Any, ...], matched: bool) -> bytes:
        """A record as one line of JSON."""
        parts, resumes, server, client, name, stapled, other = record
        known = self._known[envoy.process]
        server_chain, client_chain = self._chain(known, server), self._chain(known, client)
        sides = [server_chain, client_chain] if envoy.client else [client_chain, server_chain]
        at = envoy.connection.start
        presented = Presented(envoy.client, at, name, sides, stapled)
        noted = self._resumed.pop(envoy.id, None)
        number = noted if resumes == ELSEWHERE else resumes
        line = [parts[0], b"null" if number is None else b"%d" % number]
        for role, chain in ((SERVER, server_chain), (CLIENT, client_chain)):
            if chain is not None:
                line += parts[len(line) >> 1], self._chains.json(presented, role, rfc3339(at))
        line += parts[-1] if other is None or not matched else other, b"\n"
        return b"".join(line)

    def _chain(self, known: list[tuple[bytes, ...]], chain: int | tuple[bytes, ...] | None) -> tuple[bytes, ...] | None:
        """A chain that a worker sent, now or before."""
        if isinstance(chain, int):
            return known[chain]
        if chain is not None and gets_number(chain, len(known)):
            known.append(chain)
        return chain
