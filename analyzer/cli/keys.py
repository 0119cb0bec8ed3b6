"""`analyzer keys`: audits key logs: which sessions have which secrets, and which lines are unused or wrong.

Lines are named by file and line number. Secrets are never printed.
"""

import pickle
from argparse import Namespace
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from analyzer.analysis.key_audit import (
    COMPLETE,
    NONE,
    NOT_NEEDED,
    PARTIAL,
    KeyAudit,
    KeyFacts,
    KeyFit,
    SessionKeys,
    key_facts,
)
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.files import print_fact
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import Output
from analyzer.cli.part_arguments import part_of
from analyzer.cli.rows import capture_cell, endpoint
from analyzer.cli.sessions import InOrder
from analyzer.cli.sharing import SharedListener, make_shards, run_shared
from analyzer.cli.table import Cell, Column, Table
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog, Problem
from analyzer.secrets.keylog_line import Line
from analyzer.store.chain_verdicts import NO_VERDICTS
from analyzer.store.declaration import path_text
from analyzer.store.part import Part
from analyzer.store.session_record import json_line, session_record
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text
from analyzer.text.language import Sentences, retold, say
from analyzer.text.punctuation import apart, clauses, labelled, listing
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.events import Event, SessionEnded
from analyzer.tls.session import Session

if TYPE_CHECKING:
    from analyzer.store.shard import Holes
    from analyzer.store.shards import SharedSession

SHOWN = 10
"""The most lines of a key log that text shows of each kind; JSON has more."""

LISTED = 1000
"""The most lines of a key log that JSON lists of each kind."""

PREFIX = 8
"""Bytes of a client random that are shown."""

COLUMNS = (
    Column("id", 0, right=True, style="bold"),
    Column("client", 3, limit=47),
    Column("server", 4, limit=47),
    Column("server name", 5, limit=40, style="cyan"),
    Column("version", 6),
    Column("client random", 7),
    Column("secrets", 1),
    Column("opens", 2),
    Column("labels", 8),
    Column("missing", 9),
    Column("note", 10),
    Column("capture", 11, limit=40),
)

_RECORD_KEYS = (
    "id", "capture", "frame_in_capture", "client", "server", "before", "start_time", "end_time", "server_name", "version",
    "decryption",
)  # fmt: skip

_STYLES = {COMPLETE: "green", PARTIAL: "yellow", NONE: "red", NOT_NEEDED: "dim"}

_SHORT: Sentences = {
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET": "client handshake",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET": "server handshake",
    "CLIENT_TRAFFIC_SECRET_0": "client traffic",
    "SERVER_TRAFFIC_SECRET_0": "server traffic",
    "CLIENT_EARLY_TRAFFIC_SECRET": "client early",
    "EXPORTER_SECRET": "exporter secret",
    "EARLY_EXPORTER_SECRET": "early exporter secret",
    "CLIENT_RANDOM": "master",
    "PMS_CLIENT_RANDOM": "premaster",
}


_VERDICTS: Sentences = {COMPLETE: "complete", PARTIAL: "partial", NONE: "none", NOT_NEEDED: "not needed"}
_OPENS: Sentences = {"decrypted": "yes", "partial": "in part", "none": "no"}


def run(options: Namespace, output: Output) -> int:
    """Print the audit, and return the exit status."""
    capture_run = CaptureRun(options.captures, output, streaming=any(one.form == "json" for one in options.outputs))
    part = capture_run.part = part_of(options)
    keys = read_keys(options, capture_run)
    shards = make_shards(options, capture_run, keys, _describe, NO_VERDICTS)
    if shards is not None:
        material = KeyMaterial(None, keys["keylog"], keys["private_keys"], keys["psks"])
        run_shared(capture_run, shards, KeyPrinter(options.outputs, KeyAudit(material)))
    else:
        engine = Engine(**keys)
        capture_run.run(engine, [KeyPrinter(options.outputs, KeyAudit(engine.material), part)])
    for one in options.outputs:
        one.flush()
    return capture_run.status()


class KeyPrinter(SharedListener):
    """Prints a line for every session, and at the end the audit of the key logs."""

    def __init__(self, outputs: Sequence[Output], audit: KeyAudit, part: Part | None = None) -> None:
        """part: which sessions get a line; None for all. The audit is about all of them."""
        self._audit = audit
        self._part = part
        self._lines = [output for output in outputs if output.form == "json"]
        self._texts = [output for output in outputs if output.form != "json"]
        self._tables = [Table(COLUMNS, output, one_line=True) for output in self._texts]
        self._rows = InOrder(self._add_row)

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                self._take(_session_facts(event.ended), key_facts(event.ended))

    def take_shared(self, sessions: "Sequence[SharedSession]") -> None:
        """See `SharedListener.take_shared`."""
        for session in sessions:
            self._take(*pickle.loads(session.describe(NO_VERDICTS)))  # noqa: S301 - from a process of our own

    def _take(self, record: dict[str, Any], facts: KeyFacts) -> None:
        keys = self._audit.take(facts, record["decryption"]["status"], record["decryption"]["reason"])
        if self._part is not None and not self._part.has_record(record):
            self._rows.add(facts.id, None)
            return
        for output in self._lines:
            output.write(json_line(session_line(record, keys)))
        if self._texts:
            self._rows.add(facts.id, table_row(record, keys))

    def _add_row(self, row: list[Cell]) -> None:
        for table in self._tables:
            table.add(row)

    def close(self) -> None:
        """See `Listener.close`."""
        for output in self._lines:
            output.write(json_line(audit_line(self._audit)))
        for output, table in zip(self._texts, self._tables, strict=True):
            table.close()
            _print_audit(output, self._audit)


def _session_facts(session: Session) -> dict[str, Any]:
    record = session_record(session, False, NO_VERDICTS, False)
    return {key: record[key] for key in _RECORD_KEYS}


def _describe(session: Session, holes: "Holes", resumed: bool) -> bytes:
    return pickle.dumps((_session_facts(session), key_facts(session)))


def session_line(record: dict[str, Any], keys: SessionKeys) -> dict[str, Any]:
    """Return the JSON line of a session, as a record."""
    return {
        "kind": "session",
        **{key: record[key] for key in ("id", "capture", "frame_in_capture", "client", "server", "server_name", "version")},
        "client_random": None if keys.client_random is None else keys.client_random.hex(),
        "inner_random": None if keys.inner_random is None else keys.inner_random.hex(),
        "verdict": keys.verdict,
        "found": list(keys.found),
        "missing": list(keys.missing),
        "conflicting": list(keys.conflicting),
        "lines": [place(line) for line in keys.lines],
        "private_key": None if keys.key is None else path_text(keys.key),
        "decryption": {key: record["decryption"][key] for key in ("status", "reason")},
        "detail": keys.detail,
    }


def audit_line(audit: KeyAudit) -> dict[str, Any]:
    """Return the last JSON line, as a record: the audit of all keys together."""
    keylog = audit.material.keylog or KeyLog()
    counts = keylog.counts()
    unused = list(audit.unused())
    return {
        "kind": "keys",
        "detail": audit.sentence(),
        "sessions": {"all": audit.sessions, "known": audit.known, **audit.verdicts},
        "sources": [{"source": path_text(source), "lines": n_lines} for source, n_lines in keylog.sources().items()],
        "lines": counts.lines,
        "secrets": counts.secrets,
        "unused": {"count": len(unused), "lines": [_placed(line) for line in unused[:LISTED]]},
        "bad": {"count": counts.bad, "unknown_labels": counts.unknown, "lines": [_problem(one) for one in keylog.problems]},
        "repeated": {"count": counts.repeated, "pairs": _pairs(keylog.repeats)},
        "conflicting": {"count": counts.conflicting, "pairs": _pairs(keylog.conflicts())},
        "private_keys": [_fit(fit) for fit in audit.fits],
    }


def table_row(record: dict[str, Any], keys: SessionKeys) -> list[Cell]:
    """Return the cells of `COLUMNS` for a session."""
    status = record["decryption"]["status"]
    note = retold(keys.detail) if not keys.missing or keys.verdict == NONE else ""
    if keys.conflicting:
        disagree = say("lines disagree on {labels}", labels=listing(keys.conflicting))
        note = apart([note, disagree] if note else [disagree])
    return [
        str(record["id"]),
        endpoint(record["client"]),
        endpoint(record["server"]),
        harmless(record["server_name"] or ""),
        record["version"] or "",
        "" if keys.client_random is None else keys.client_random[:PREFIX].hex() + "…",
        (say(_VERDICTS[keys.verdict]), _STYLES[keys.verdict]),
        say(_OPENS[status]) if status in _OPENS else "",
        listing(_label_text(label) for label in keys.found),
        listing(_label_text(label) for label in keys.missing),
        note,
        capture_cell(record),
    ]


def _label_text(label: str) -> str:
    return say(_SHORT.get(label, label))


def place(line: Line) -> str:
    """Return the place of a line: its file and line number."""
    return f"{path_text(line.source)}:{line.line}"


def _placed(line: Line) -> dict[str, Any]:
    return {"source": path_text(line.source), "line": line.line, "label": line.label, "session": line.session.hex()}


def _problem(problem: Problem) -> dict[str, Any]:
    return {"source": path_text(problem.source), "line": problem.line, "why": problem.why}


def _pairs(pairs: Iterable[tuple[Line, Line]]) -> list[dict[str, Any]]:
    return [{"label": first.label, "first": place(first), "second": place(second)} for first, second in islice(pairs, LISTED)]


def _fit(fit: KeyFit) -> dict[str, Any]:
    return {
        "source": path_text(fit.source),
        "bits": fit.n_bits,
        "opens": {"count": fit.n_opens, "sessions": fit.opens},
        "only_certificate": {"count": fit.n_signs, "sessions": fit.signs},
    }


def _print_audit(output: Output, audit: KeyAudit) -> None:
    from analyzer.cli.page import headline

    keylog = audit.material.keylog
    if audit.sessions:
        headline(output, say("Key log"))
    print_fact(output, "verdict", retold(audit.sentence()))
    if keylog is not None:
        _print_log(output, audit, keylog)
    for fit in audit.fits:
        print_fact(output, "RSA key", fit_text(fit))


def _print_log(output: Output, audit: KeyAudit, keylog: KeyLog) -> None:
    counts = keylog.counts()
    for source, n_lines in keylog.sources().items():
        print_fact(output, "source", clauses(retold(source), count_text(n_lines, "line")))
    counts_text = say(
        "{complete:,} of {all:,} encrypted sessions have all secrets that they need, {partial:,} a part, {none:,} none",
        complete=audit.verdicts[COMPLETE],
        all=audit.wanting,
        partial=audit.verdicts[PARTIAL],
        none=audit.verdicts[NONE],
    )
    print_fact(output, "sessions", counts_text)
    unused = list(audit.unused())
    _print_lines(output, "unused", count_text(len(unused), "line"), [labelled(place(line), line.label) for line in unused])
    bad_lines = [labelled(f"{problem.source}:{problem.line}", retold(problem.why)) for problem in keylog.problems]
    if bad_lines:
        unknown = say(", {n:,} with an unknown label", n=counts.unknown) if counts.unknown else ""
        _print_lines(output, "problems", f"{count_text(counts.bad, 'bad line')}{unknown}", bad_lines)
    repeats = [
        say("{first} and {second}: {label}", first=place(first), second=place(second), label=first.label)
        for first, second in keylog.repeats[:SHOWN]
    ]
    if repeats:
        _print_lines(
            output, "repeated", say("{lines} say what one before says", lines=count_text(counts.repeated, "line")), repeats
        )
    conflicts = [
        say("{first} and {second}: {label}", first=place(first), second=place(second), label=first.label)
        for first, second in islice(keylog.conflicts(), SHOWN)
    ]
    if conflicts:
        lines = count_text(counts.conflicting, "line")
        _print_lines(output, "conflicts", say("{lines} contradict one before", lines=lines), conflicts, "alarm")


def _pair_text(first: Line, second: Line) -> str:
    return say("{first} and {second}: {label}", first=place(first), second=place(second), label=first.label)


def _print_lines(output: Output, label: str, title: str, lines: Sequence[str], style: str = "") -> None:
    print_fact(output, label, title, style)
    for line in lines[:SHOWN]:
        print_fact(output, "", f"  {line}")
    if len(lines) > SHOWN:
        print_fact(output, "", "  " + say("and {n:,} more", n=len(lines) - SHOWN))


def fit_text(fit: KeyFit) -> str:
    """Return a sentence that says which sessions a private key decrypts."""
    text = say("{source}, {n} bits: ", source=fit.source, n=fit.n_bits)
    if not fit.n_opens and not fit.n_signs:
        return text + say("of no certificate that is seen in this capture")
    parts = []
    if fit.n_opens:
        parts.append(say("opens {sessions}", sessions=_sessions(fit.opens, fit.n_opens)))
    if fit.n_signs:
        parts.append(
            say(
                "is of the certificate of {sessions}, but it cannot open them: their key exchange is not RSA, or did not end",
                sessions=_sessions(fit.signs, fit.n_signs),
            )
        )
    return text + apart(parts)


def _sessions(numbers: Sequence[int], n_all: int) -> str:
    more = say(" and {n:,} more", n=n_all - len(numbers)) if n_all > len(numbers) else ""
    shown = listing(map(str, numbers)) + more
    return say("session {n}", n=shown) if n_all == 1 else say("sessions {numbers}", numbers=shown)
