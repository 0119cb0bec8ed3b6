"""What the full-screen view shows: rows of sessions, notes, data. The run fills it in one thread, the view reads it in another.

Everything here has a limit, because a run lasts for days: the last rows, the ladders of the last sessions that have ended, and
the last data. Sessions that are open stay as long as there is room.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from analyzer.analysis.failures import Failures
from analyzer.cli.findings import finding_text
from analyzer.cli.live_rows import ending_of, row_text, time_text
from analyzer.cli.rows import endpoint, owner_text
from analyzer.codec.codes import SEVERITIES
from analyzer.codec.registry import registry
from analyzer.engine import Listener
from analyzer.engine.failed_connections import ConnectionFailed
from analyzer.store.chain_verdicts import CLIENT, SERVER, Chains
from analyzer.store.clock import rfc3339
from analyzer.store.session_record import endpoint_record, json_line, session_record, text
from analyzer.text.chain_text import is_hidden
from analyzer.text.escape import harmless
from analyzer.text.handshake_steps import Steps
from analyzer.text.language import Sentences, noted, retold, say
from analyzer.text.punctuation import labelled
from analyzer.tls.events import Data, Event, Finding, HandshakeMessage, SessionBegan, SessionEnded
from analyzer.tls.handshake.hello_features import server_name
from analyzer.tls.messages.numbers import CLIENT_HELLO
from analyzer.tls.session import Session

MAX_ROWS = 2000
"""Sessions in the table. More cannot be looked at while they come; `--format json` or `-o` keeps all."""

MAX_LADDERS = 300
"""Sessions that have ended whose ladder can still be opened. One needs about 30 kB."""

MAX_HELD = 4 << 20
"""Bytes of memory, as estimated, for the ladder and the record of one session. With more they are forgotten."""

MAX_ALL_HELD = 32 << 20
"""The same for all sessions. With more, those of the sessions that began first are forgotten."""

MAX_DATA = 1 << 16
"""Bytes of data of one session that can be followed: the last ones."""

MAX_ALL_DATA = 16 << 20
"""The same for all sessions."""

MAX_NOTES = 200

_MESSAGE_COST = 6
"""Bytes of memory for a byte of a handshake message, which is held as it was sent and decoded."""

_STEP_COST = 512
"""Bytes of memory for a step of a ladder."""

_DECRYPTED: Sentences = {"decrypted": "yes", "partial": "partly", "none": "no"}

_VERSIONS = registry("versions").names


@dataclass(slots=True)
class Row:
    """One session. The texts are harmless for a terminal.

    state: `open`, or how it ended. severity: of its worst finding, empty without one. line: its record as a line of JSON, empty
    before it has ended, or if it is held no longer. text: everything of it in a line, for filters. data: (role, bytes) of what
    was decrypted last. session, steps: for its ladder; None if it cannot be opened any more. n_held: bytes of memory for line,
    session and steps, as estimated. seen: whether `changes` has returned it.
    """

    number: int
    time: str
    client: str
    server: str
    process: str = ""
    name: str = ""
    version: str = ""
    state: str = noted("open")
    verdict: str = ""
    decryption: str = ""
    findings: str = ""
    severity: str = ""
    line: bytes = b""
    text: str = ""
    session: Session | None = None
    steps: Steps | None = None
    seen: bool = False
    n_held: int = 0
    n_data: int = 0
    data: deque[tuple[int, bytes]] = field(default_factory=deque)


class Board(Listener):
    """Collects what the view shows. `changes` may be called from another thread.

    n_open, n_ended: numbers of sessions. failures: of sessions, and of connections in which TLS never began. notes: the last
    notes, found: the last findings, both as texts.
    """

    def __init__(self, chains: Chains) -> None:
        self.n_open = 0
        self.n_ended = 0
        self.failures = Failures()
        self.notes: deque[str] = deque(maxlen=MAX_NOTES)
        self.found: deque[tuple[str, str]] = deque(maxlen=MAX_NOTES)
        self.lock = threading.Lock()
        self.rows: OrderedDict[int, Row] = OrderedDict()
        self._chains = chains
        self._changed: set[int] = set()
        self._removed: set[int] = set()
        self._ladders: deque[int] = deque()
        self._n_data = 0
        self._n_held = 0

    def note(self, text: str) -> None:
        """Take a note about the run."""
        self.notes.append(harmless(retold(text)))

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        with self.lock:
            for event in events:
                if isinstance(event, SessionBegan):
                    self._begin(event)
                elif isinstance(event, ConnectionFailed):
                    self.failures.take_connection(event.key, event.first_frame, event.last_frame, event.outcome)
                    continue
                row = self.rows.get(event.session)
                if isinstance(event, SessionEnded):
                    self._end(event.ended, row)
                elif row is not None:
                    self._add(event, row)

    def changes(self, everything: bool = False) -> tuple[list[Row], set[int]]:
        """Return the rows that are new or have changed since the last call, and the numbers of those that were removed.

        everything: return all rows. Rows that came and were removed between two calls are in neither.
        """
        with self.lock:
            changed = list(self.rows.values()) if everything else [self.rows[number] for number in sorted(self._changed)]
            removed, self._removed, self._changed = self._removed, set(), set()
            for row in changed:
                row.seen = True
        return changed, removed

    def _begin(self, event: SessionBegan) -> None:
        flow = event.flow
        client, server = (endpoint(endpoint_record(flow.key, end)) for end in (CLIENT, SERVER))
        row = Row(event.session, time_text(rfc3339(flow.start)), client, server, steps=Steps(event.session))
        row.process = owner_text(flow.process.record() if flow.process is not None else None)
        row.text = " ".join((row.time, client, server, row.process)).lower()
        self.n_open += 1
        self.rows[event.session] = row
        self._changed.add(event.session)
        if len(self.rows) > MAX_ROWS:
            self._remove(next((number for number, one in self.rows.items() if one.state != "open"), next(iter(self.rows))))

    def _add(self, event: Event, row: Row) -> None:
        if event.version and not row.version:
            row.version = _VERSIONS[event.version]
            self._changed.add(row.number)
        if isinstance(event, HandshakeMessage) and event.type == CLIENT_HELLO and event.body is not None and not row.name:
            row.name = harmless(text(server_name(event.body)) or "")
            row.text += " " + row.name.lower()
            self._changed.add(row.number)
        if row.steps is not None:
            n_steps = len(row.steps.steps)
            row.steps.take((event,))
            if len(row.steps.steps) > n_steps:
                self._hold(row, _STEP_COST + (_MESSAGE_COST * len(event.raw) if isinstance(event, HandshakeMessage) else 0))
        if isinstance(event, Data):
            row.data.append((event.role, event.data))
            row.n_data += len(event.data)
            self._n_data += len(event.data)
            self._trim(row)
        elif isinstance(event, Finding):
            self.found.append((event.severity, _found_text(row.number, event.code, event.detail)))
            row.findings = " ".join(dict.fromkeys([*row.findings.split(), event.code]))
            row.severity = _worse(row.severity, event.severity)
            self._changed.add(row.number)

    def _end(self, session: Session, row: Row | None) -> None:
        self.n_ended += 1
        self.n_open -= 1
        record = session_record(session, False, self._chains)
        self.failures.take_record(record)
        if row is None:
            return
        known = set(row.findings.split())
        for finding in record["findings"]:
            if finding["code"] not in known:
                shown = _found_text(session.id, finding["code"], finding["detail"])
                self.found.append((finding["severity"], shown))
            row.severity = _worse(row.severity, finding["severity"])
        row.findings = " ".join(dict.fromkeys(finding["code"] for finding in record["findings"]))
        row.name = harmless(record["server_name"] or "")
        row.process = owner_text(record["process"])
        row.version = record["version"] or ""
        row.state = _state(record, ending_of(session))
        chain = record["chain"]
        problems = " ".join(dict.fromkeys(problem["code"] for problem in chain["problems"] or ()))
        row.verdict = (
            ""
            if chain["verdict"] == "absent" or is_hidden(chain)
            else (chain["verdict"] != "valid" and problems) or say(chain["verdict"])
        )
        status = record["decryption"]["status"]
        row.decryption = say(_DECRYPTED[status]) if status in _DECRYPTED else ""
        row.text = row_text(record, ending_of(session)).lower()
        row.session = session if row.steps is not None else None
        row.line = json_line(record)
        self._hold(row, len(row.line))
        self._changed.add(row.number)
        self._ladders.append(row.number)
        if len(self._ladders) > MAX_LADDERS:
            old = self.rows.get(self._ladders.popleft())
            if old is not None:
                self._forget_ladder(old)
                self._forget_data(old)

    def _hold(self, row: Row, n_bytes: int) -> None:
        """Count memory of a row, and forget what is too much."""
        row.n_held += n_bytes
        self._n_held += n_bytes
        if row.n_held > MAX_HELD:
            self._forget(row)
        if self._n_held > MAX_ALL_HELD:
            for one in self.rows.values():
                if one is not row:
                    self._forget(one)
                if self._n_held <= MAX_ALL_HELD // 2:
                    break

    def _trim(self, row: Row) -> None:
        """Keep the last data of a session, and of all sessions."""
        while row.n_data > MAX_DATA and len(row.data) > 1:
            n_bytes = len(row.data.popleft()[1])
            row.n_data -= n_bytes
            self._n_data -= n_bytes
        if self._n_data > MAX_ALL_DATA:
            for one in self.rows.values():
                if one is not row:
                    self._forget_data(one)
                if self._n_data <= MAX_ALL_DATA // 2:
                    break

    def _forget_data(self, row: Row) -> None:
        self._n_data -= row.n_data
        row.n_data = 0
        row.data.clear()

    def _forget_ladder(self, row: Row) -> None:
        row.session = row.steps = None
        self._n_held += len(row.line) - row.n_held
        row.n_held = len(row.line)

    def _forget(self, row: Row) -> None:
        row.line = b""
        self._forget_ladder(row)
        self._forget_data(row)

    def _remove(self, number: int) -> None:
        row = self.rows.pop(number)
        self._forget(row)
        self._changed.discard(number)
        if row.seen:  # so there are at most MAX_ROWS, however long nobody calls `changes`
            self._removed.add(number)


def _state(record: dict[str, Any], ending: str) -> str:
    fatal: list[str] = [alert["description"] for alert in record["alerts"] if alert["level"] == "fatal"]
    if fatal:
        return fatal[0]
    return say("failed, {ending}", ending=ending) if record["established"] is False else ending


def _worse(one: str, other: str) -> str:
    return min((one, other), key=lambda severity: SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES))


def _found_text(session: int, code: str, detail: str) -> str:
    return harmless(labelled(say("session {n}", n=session), labelled(code, finding_text(code, detail))))
