"""Collects the sessions of a run for a report: counts of all of them, and the records of those that the report shows.

Shown are the first sessions, and after them those with a finding that is severe. Every session has a row in a table of CSV,
which is attached if the report does not show them all.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from analyzer.analysis.capture_findings import CaptureFindings
from analyzer.analysis.outcome_facts import ABANDONED, FAILED
from analyzer.engine.other_traffic import OtherTraffic
from analyzer.engine.run import Listener
from analyzer.report.certificate_collector import CertificateCollector
from analyzer.report.exchange_rows import ExchangeRows
from analyzer.report.finding_collector import FindingCollector
from analyzer.report.frame_times import FrameTimes
from analyzer.report.host_facts import HostCollector
from analyzer.report.inventory_facts import inventory_facts
from analyzer.report.step_records import step_records
from analyzer.report.time_quality import ServerClocks
from analyzer.store.chain_verdicts import Chains
from analyzer.store.inventory_tables import Inventory
from analyzer.store.session_record import session_record
from analyzer.store.session_sighting import sighting
from analyzer.text.handshake_steps import Steps
from analyzer.text.session_csv import CSV_COLUMNS, csv_head, csv_line
from analyzer.tls.events import Event, SessionBegan, SessionEnded
from analyzer.tls.session import Session

SHOWN_FIRST = 50
"""Sessions that are shown in full whatever they are."""

SHOWN_SEVERE = 50
"""Further sessions that are shown in full because of a severe finding."""

SEVERE = ("high", "medium")

MOST_FOLLOWED = 256
"""Sessions open at one time whose steps are kept, besides the first ones. The steps of a session need about 30 kB."""

MOST_FAILED = 500
"""Sessions without an established handshake that are listed."""

MOST_VALUES = 10_000
"""Values of one key that are counted. A peer can name another protocol in each session."""

MOST_BRIEF = 10_000
"""Sessions of which beginning, end, and names are kept for the pictures."""


class SessionCollector(Listener):
    """Takes the sessions of a run.

    shown: records with `steps`, in the order of their ends. failed: records of sessions that failed or were abandoned,
    at most MOST_FAILED. gaps: missing bytes, and places where their number is unknown. counts: how many sessions have each
    value of a key. rows: CSV lines by session number.
    times: of the frames; it is a listener too.
    """

    def __init__(self, chains: Chains, clocks: ServerClocks) -> None:
        self.n_sessions = 0
        self.n_established = 0
        self.n_failed = 0
        self.gaps: Counter[str] = Counter()
        self.tls: set[bytes] = set()
        self.shown: list[dict[str, Any]] = []
        self.failed: list[dict[str, Any]] = []
        self.brief: list[dict[str, Any]] = []
        self.counts: dict[str, Counter[str]] = {key: Counter() for key in _COUNTED}
        self.rows: dict[int, bytes] = {}
        self.requests = ExchangeRows()
        self.times = FrameTimes()
        self.findings = FindingCollector()
        self.capture_findings = CaptureFindings()
        self.certificates = CertificateCollector()
        self.hosts = HostCollector()
        self.inventory = Inventory()
        self._chains = chains
        self._clocks = clocks
        self._steps: dict[int, Steps] = {}

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            number = event.session
            if isinstance(event, SessionBegan):
                if number < SHOWN_FIRST or len(self._steps) < MOST_FOLLOWED:
                    self._steps[number] = Steps(number)
            elif isinstance(event, SessionEnded):
                self._end(event.ended, self._steps.pop(number, None))
            elif isinstance(event, OtherTraffic):
                self.capture_findings.take_other(event.key, event.frame, event.head)
            elif number in self._steps:
                self._steps[number].take((event,))

    def leave_out(self, session: int) -> None:
        """Take the number of a session that is not in the part of the capture that the report is about."""
        self._steps.pop(session, None)

    def csv(self) -> bytes:
        """Return the table of all sessions, in the order of their numbers."""
        return csv_head(CSV_COLUMNS) + b"".join(self.rows[number] for number in sorted(self.rows))

    def inventory_facts(self, last: str | None) -> dict[str, Any]:
        """Return the inventory of all sessions. last: the time of the last packet: the moment of validity without --at."""
        return inventory_facts(self.inventory, self._chains.fixed_time() or last)

    def _end(self, session: Session, steps: Steps | None) -> None:
        record = session_record(session, False, self._chains)
        self._clocks.take(session)
        self.n_sessions += 1
        self.n_established += bool(record["established"])
        self.gaps["bytes"] += sum(gap["length"] or 0 for gap in record["gaps"])
        self.gaps["unknown"] += sum(gap["length"] is None for gap in record["gaps"])
        for key, value in _COUNTED.items():
            found = value(record)
            counts = self.counts[key]
            if found is not None and (found in counts or len(counts) < MOST_VALUES):
                counts[found] += 1
        self.tls.add(session.flow.key)
        self.findings.take(record)
        self.capture_findings.take_record(record)
        self.certificates.take(record)
        self.hosts.take(record)
        self.inventory.take(sighting(session), session, self._chains)
        self.rows[session.id] = csv_line(CSV_COLUMNS, record)
        self.requests.take(record)
        if record["outcome"]["result"] in (FAILED, ABANDONED):
            self.n_failed += 1
            if len(self.failed) < MOST_FAILED:
                self.failed.append(_failure(record))
        if len(self.brief) < MOST_BRIEF:
            self.brief.append({key: record[key] for key in _BRIEF})
        severe = any(finding["severity"] in SEVERE for finding in record["findings"])
        if session.id < SHOWN_FIRST or (severe and self._shown_severe() < SHOWN_SEVERE):
            record["steps"] = [] if steps is None else step_records(steps, session, record)
            for step in record["steps"]:
                step["time"] = step["time"] or self.times.of(step["frame"])
            self.shown.append(record)

    def _shown_severe(self) -> int:
        return sum(record["id"] >= SHOWN_FIRST for record in self.shown)


_BRIEF = (
    "id",
    "client",
    "server",
    "server_name",
    "version",
    "start_time",
    "end_time",
    "established",
    "first_frame",
    "last_frame",
)

_COUNTED: dict[str, Callable[[dict[str, Any]], str | None]] = {
    "versions": lambda record: record["version"],
    "cipher_suites": lambda record: record["cipher_suite"],
    "groups": lambda record: record["group"],
    "alpn": lambda record: record["alpn"],
    "decryption": lambda record: record["decryption"]["status"],
    "reasons": lambda record: record["decryption"]["reason"],
    "verdicts": lambda record: record["chain"]["verdict"],
    "signatures": lambda record: record["authenticity"]["server_signature"],
    "causes": lambda record: _cause(record),
}


def _failure(record: dict[str, Any]) -> dict[str, Any]:
    keys = ("client", "server", "server_name", "first_frame", "last_frame", "start_time", "version", "alerts")
    outcome = {key: record["outcome"][key] for key in ("ended_by", "step", "cause", "certainty")}
    return {"session": record["id"], **{key: record[key] for key in keys}, **outcome}


def _cause(record: dict[str, Any]) -> str | None:
    """Return the cause of a session that failed or was abandoned."""
    outcome = record["outcome"]
    cause: str | None = outcome["cause"] if outcome["result"] in (FAILED, ABANDONED) else None
    return cause
