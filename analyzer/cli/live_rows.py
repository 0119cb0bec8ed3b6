"""Writes one line of text for each session that ends, in the manner of tcpdump: time, client > server, and what came of it."""

from collections.abc import Sequence
from typing import Any

from analyzer.application.request_target import target_of
from analyzer.cli.output import Output
from analyzer.cli.rows import endpoint, owner_text
from analyzer.engine import Listener
from analyzer.store.chain_verdicts import Chains
from analyzer.store.session_record import session_record
from analyzer.text.chain_text import YOUNGER_ROOTS, is_hidden
from analyzer.text.escape import harmless
from analyzer.text.formatting import size_text
from analyzer.text.language import Sentences, say
from analyzer.text.outcome_text import FAILURES
from analyzer.text.punctuation import beside, clauses, labelled
from analyzer.text.session_csv import alerts_text
from analyzer.tls.events import Event, SessionEnded
from analyzer.tls.session import Session

ENDINGS: Sentences = {
    "fin": "closed", "rst": "reset", "idle": "silent", "evicted": "evicted", "reused": "replaced", "end": "still open",
}  # fmt: skip
"""How a connection ended, in a word."""

_DECRYPTED: Sentences = {"decrypted": "decrypted", "partial": "partly decrypted", "none": "not decrypted"}

SHOWN_FINDINGS = 4
"""The most codes of findings in a row."""


class LiveRows(Listener):
    """Writes a row for each session, when it ends."""

    def __init__(self, output: Output, chains: Chains, http: bool = False) -> None:
        """http: write a line for each HTTP exchange of a session too."""
        self._output = output
        self._http = http
        self._chains = chains
        self._unflushed = False

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                record = session_record(event.ended, False, self._chains)
                style = "green" if record["established"] else "yellow"
                if any(finding["severity"] in ("high", "medium") for finding in record["findings"]):
                    style = "red"
                self._output.line(self._output.paint(row_text(record, ending_of(event.ended)), style))
                if self._http:
                    for exchange in record["http"]:
                        self._output.line("  " + exchange_text(exchange))
                self._unflushed = True

    def end_turn(self) -> None:
        """See `Listener.end_turn`. What was written in the turn is flushed."""
        if self._unflushed:
            self._output.flush()
            self._unflushed = False


def row_text(record: dict[str, Any], ending: str = "") -> str:
    """Return a session's record as one line. What is not known is left out. ending: how the connection ended."""
    head = f"{time_text(record['start_time'])} {endpoint(record['client'])} > {endpoint(record['server'])}"
    parts = [
        harmless(record["server_name"] or ""),
        owner_text(record["process"]),
        quic_text(record["quic"]),
        record["version"] or "",
        record["cipher_suite"] or "",
        outcome_text(record, ending),
        cause_text(record["outcome"]),
        verdict_text(record["chain"]),
        decryption_text(record["decryption"]),
        findings_text(record["findings"]),
    ]
    return labelled(head, clauses(*parts))


def quic_text(quic: dict[str, Any] | None) -> str:
    """Return the version of QUIC that carries a session: `QUIC 1`; empty for another protocol."""
    return "" if quic is None or not quic["versions"] else str(quic["versions"][-1])


def exchange_text(exchange: dict[str, Any]) -> str:
    """Return an HTTP exchange as a line: method, URL, status and size. What was not seen is said, or is `?`."""
    request, response = exchange["request"], exchange["response"]
    asked = say("no request seen")
    if request is not None:
        method, scheme, authority, path = (request.get(key) for key in ("method", "scheme", "authority", "path"))
        asked = f"{method or '?'} {target_of(scheme, authority, path) or '?'}"
    if response is None:
        return f"{harmless(asked)}  {say('no answer seen')}"
    length, status = response.get("body_length"), response.get("status")
    size = "" if length is None else size_text(length)
    return f"{harmless(asked)}  {clauses('?' if status is None else str(status), size)}"


def ending_of(session: Session) -> str:
    """Return how the connection of a session ended."""
    return say(ENDINGS.get(session.flow.closed, session.flow.closed))


def time_text(time: str | None) -> str:
    """Return the time of day to the microsecond, from a time in RFC 3339."""
    return time[11:26] if time else "--:--:--.------"


def outcome_text(record: dict[str, Any], ending: str) -> str:
    """Return whether the handshake was completed, how the connection ended, and the fatal alerts."""
    established = record["established"]
    text = say("established") if established else "" if established is None else say("not established")
    fatal = alerts_text([alert for alert in record["alerts"] if alert["level"] == "fatal"])
    outcome = beside(text, ending)
    return say("{outcome} {alerts}", outcome=outcome, alerts=fatal) if fatal else outcome


def cause_text(outcome: dict[str, Any]) -> str:
    """Return the cause of a session that failed or was abandoned."""
    return outcome["cause"] or "" if outcome["result"] in FAILURES else ""


def verdict_text(chain: dict[str, Any]) -> str:
    """Return the verdict on the server's certificates; nothing if there are none."""
    if chain["verdict"] == "absent" or is_hidden(chain):
        return ""
    if chain["verdict"] == "unknown":
        return say("chain unknown")
    problems = " ".join(dict.fromkeys(problem["code"] for problem in (*(chain["problems"] or ()), *_told_notes(chain))))
    verdict = say("chain valid") if chain["verdict"] == "valid" else say("chain invalid")
    return beside(verdict, problems)


def _told_notes(chain: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the note without which `unknown_issuer` would say too much."""
    return [note for note in chain["notes"] or () if note["code"] == YOUNGER_ROOTS]


def decryption_text(decryption: dict[str, Any]) -> str:
    """Return whether it was decrypted."""
    words = _DECRYPTED.get(decryption["status"])
    return say(words) if words else ""


def findings_text(findings: list[dict[str, Any]]) -> str:
    """Return the codes of the findings, each once."""
    found = list(dict.fromkeys(finding["code"] for finding in findings))
    more = say(" and {n} more", n=len(found) - SHOWN_FINDINGS) if len(found) > SHOWN_FINDINGS else ""
    return say("findings: {codes}", codes=" ".join(found[:SHOWN_FINDINGS]) + more) if found else ""
