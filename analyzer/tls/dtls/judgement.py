"""Reads the records of a DTLS handshake again where messages are disputed (`disputes.py`), and keeps what is proved.

The session that is made for it replaces what the first one had read. So a message that was believed too early leaves nothing
behind in it: no certificate, no fingerprint, no finding. What only was tried is nothing that another session can resume.
"""

from __future__ import annotations

from typing import Any

from analyzer.tls.dtls.disputes import Choice
from analyzer.tls.dtls.record_headers import UNIFIED
from analyzer.tls.events import Data, DataBegan, Event, HandshakeMessage, KeysChanged
from analyzer.tls.handshake.authentication import FAILED, VERIFIED
from analyzer.tls.handshake.resumption import ResumableSession, Resumptions
from analyzer.tls.record.record import Record

REPLACED = (
    "changes", "doubted_alerts", "doubtful", "flights", "handshake", "heartbeats", "held", "log", "nonces", "opening", "plain",
    "roles", "sealed_epochs", "sizes", "transport",
)  # fmt: skip
"""The parts of a session that come from its records."""

_SERVER = 1
_OPENED = (Data, DataBegan, KeysChanged)


class TrialResumptions(Resumptions):
    """Finds what those of a run find, and keeps nothing."""

    __slots__ = ("_run",)

    def __init__(self, run: Resumptions) -> None:
        super().__init__()
        self._run = run

    def keep_id(self, session_id: bytes, session: ResumableSession) -> None:
        """See `Resumptions.keep_id`."""

    def keep_ticket(self, ticket: bytes, session: ResumableSession) -> None:
        """See `Resumptions.keep_ticket`."""

    def find(
        self, ticket: bytes | None, session_id: bytes, server: bytes, name: bytes | None, client: bytes = b""
    ) -> ResumableSession | None:
        """See `Resumptions.find`."""
        return self._run.find(ticket, session_id, server, name, client)

    def secret(self, found: ResumableSession) -> bytes | None:
        """See `Resumptions.secret`."""
        return self._run.secret(found)


def judge(session: Any, record: Record) -> None:
    """Decide what of a session's handshake counts, after a record of it."""
    disputes = session.disputes
    if disputes.fresh:
        disputes.fresh = False
        disputes.found = not _leave_out(session) or disputes.found
    if disputes.is_worth_reading():
        _replace(session, _read_again(session, disputes.only_proved()))
    given = session.handshake.material.given
    if (record.epoch > 0 or record.version == UNIFIED) and given and disputes.is_due():
        _search(session)
    _leave_out_others(session)
    client, server = session.roles
    if session.handshake.authentication.finished == [VERIFIED, VERIFIED]:
        disputes.proved = True
        disputes.end()
    elif disputes.full or (session.has_data(client) and session.has_data(server) and not (disputes.disputed and given)):
        if disputes.found:
            _replace(session, _read_again(session, disputes.only_proved()))
        disputes.end()


def judge_at_end(session: Any) -> None:
    """Decide what of a session's handshake counts when no more records come, and report what was disputed."""
    disputes = session.disputes
    if disputes.found and not disputes.over:
        _replace(session, _read_again(session, disputes.only_proved()))
    if disputes.disputed and not disputes.proved and not disputes.over and session.handshake.material.given:
        _search(session)
    _leave_out_others(session)
    for detail, frames in disputes.findings(session.handshake.parameters.tls13):
        n_findings = len(session.log.findings)
        session.log.add_finding("contradicting_messages", "info", detail, frames[0])
        if len(session.log.findings) > n_findings:  # else there are too many
            session.log.findings[n_findings].frames[:] = frames
    disputes.end()


def _leave_out(session: Any) -> bool:
    """Leave out the disputed messages whose turn has not come. Returns whether these were all: then nothing is read again."""
    for role, sequence in session.disputes.disputed:
        flight = session.flights[role]
        if sequence in flight.chosen:
            continue
        if sequence < flight.next or flight.next < 0:
            return False
        flight.leave_out(sequence)
    return True


def _leave_out_others(session: Any) -> None:
    """Read the records again without those that the version does not have, if some came before it was known."""
    disputes = session.disputes
    if disputes.over or not session.has_others():
        return
    choice = disputes.only_proved()
    if all(one is not None for place, one in choice.items() if place[0] == _SERVER):
        _replace(session, _read_again(session, choice, tls13=session.handshake.parameters.tls13))


def _search(session: Any) -> None:
    """Search the choice between disputed messages that a Finished proves: not one of a later handshake of the session."""
    disputes = session.disputes
    disputes.trials += 1
    tls13 = session.handshake.parameters.tls13
    for choice in disputes.choices(tls13):
        trial = _read_again(session, choice, TrialResumptions(session.handshake.resumptions))
        if any(flight.epoch > 0 for flight in trial.flights):
            return
        trial.handshake.authenticate()
        finished = trial.handshake.authentication.finished
        if VERIFIED in finished and FAILED not in finished:
            disputes.prove(choice, trial.handshake.parameters.tls13, finished)
            _replace(session, _read_again(session, disputes.choice))
            return


def _read_again(session: Any, choice: Choice, resumptions: Resumptions | None = None, tls13: bool | None = None) -> Any:
    """Return a session that has read the same records, and takes only the chosen messages in disputed places.

    resumptions: what it resumes, and where others find it; None for those of the run. tls13: see `RecordOpening`.
    """
    handshake = session.handshake
    material, newest = handshake.material, handshake.parameters.tls13
    resumptions = handshake.resumptions if resumptions is None else resumptions
    matched, inner = material.matched, material.inner
    material.inner = None  # it numbers what it finds in the order of the capture
    events: list[Event] | None = None if session.log.events is None else []
    trial = type(session)(session.id, session.flow, material, resumptions, events, handshake.keeps_fields, session.log.places)
    trial.disputes = None
    trial.opening.tls13 = tls13
    for role, flight in enumerate(trial.flights):
        flight.chosen = {sequence: message for (sender, sequence), message in choice.items() if sender == role}
        flight.sealed = frozenset(sequence for sender, sequence in session.disputes.sealed if sender == role)
        flight.no_cookie = session.disputes.no_cookie
        flight.next = flight.first = session.disputes.begins.get(role, flight.next)
        unhashed = [number for number in flight.chosen if session.disputes.is_unhashed((role, number)) and not newest]
        flight.unhashed = tuple(unhashed)
    for record in session.disputes.records:
        trial.take(record)
    material.matched, material.inner = matched, inner
    return trial


def _replace(session: Any, trial: Any) -> None:
    """Replace what a session has read by what another one has."""
    known = {(one.role, one.frame, one.type, one.length) for one in session.log.messages}
    opened = session.handshake.decryption is not None and session.handshake.decryption.records > 0
    events, made = session.log.events, trial.log.events
    trial.log.events = events
    for part in REPLACED:
        setattr(session, part, getattr(trial, part))
    for event in made or ():
        if isinstance(event, HandshakeMessage):
            if (event.role, event.frame, event.type, event.length) not in known:
                session.log.emit(event)
        elif isinstance(event, _OPENED) and not opened:
            session.log.emit(event)
