"""Checks unusual records of a session by the rules of the record layer, and keeps what is wrong with them.

`record_rules` has the rules. The session calls these functions only where a number of the record is unusual, so most records
cost nothing. Nothing is said about bytes that the capture lacks, nor where a role's keys are not known for sure.
"""

from typing import Any

from analyzer.tls.events import record_event
from analyzer.tls.handshake.states import State
from analyzer.tls.record.content_types import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, SSL2
from analyzer.tls.record.heartbeats import Heartbeats
from analyzer.tls.record.record_rules import (
    Breach,
    after_end,
    change_fault,
    empty,
    forbidden_request,
    heartbeat_fault,
    inner_type,
    interleaved,
    longest_on_the_wire,
    odd_first_version,
    too_long,
    wrong_version,
)

HEARTBEAT_EXTENSION, REQUESTS_NOT_ALLOWED, CLIENT, SERVER, TLS_1_2 = 15, 2, 0, 1, 0x0303

EMPTY, VERSION, LENGTH, INTERLEAVED, CHANGE, INNER, ENDED = (1 << place for place in range(7))
"""Bits of `RoleState.reported`: rules of which one breach of a role was reported."""


def check_record(session: Any, record: Any) -> None:
    """Check a record whose header is unusual: its length, or its version."""
    sender, parameters, kind = session.roles[record.role], session.handshake.parameters, record.content_type
    if sender.unsure or record.version == SSL2:
        return
    if record.length == 0 and parameters.version and kind in (CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE):
        _report(session, sender, EMPTY, record, empty(record.role, kind))
    # An alert can say that the version is refused. A record with missing bytes is passed on late: it can be from before the
    # answer.
    hellos = session.handshake.hellos
    first = record.role == CLIENT and kind == HANDSHAKE and not (hellos.server_seen or session.flow.late)
    if parameters.record_version == 0 and record.version > TLS_1_2 and first:
        _report(session, sender, VERSION, record, odd_first_version(record.version))
    if parameters.record_version not in (0, record.version) and kind != ALERT and not record.missing:
        _report(session, sender, VERSION, record, wrong_version(record.role, record.version, parameters.record_version))
    if record.length > parameters.fragment and parameters.version:
        sealed = sender.change_frame > 0 or (parameters.tls13 and kind == APPLICATION_DATA)
        if sealed and session.handshake.opens() and not parameters.tls13:  # its plaintext is measured
            return
        longest = longest_on_the_wire(parameters.fragment, sealed, parameters.tls13, parameters.compression != 0)
        if record.length > longest and (sealed or kind != APPLICATION_DATA):
            _report(session, sender, LENGTH, record, too_long(record.role, record.length, longest))


def check_opened(session: Any, record: Any, content_type: int, length: int) -> None:
    """Check a decrypted record that is unusual. content_type, length: of its plaintext."""
    role, sender = record.role, session.roles[record.role]
    if length == 0 and content_type != APPLICATION_DATA:
        _report(session, sender, EMPTY, record, empty(role, content_type))
    if not session.handshake.parameters.tls13:
        if sender.ended and content_type != ALERT:
            _report(session, sender, ENDED, record, after_end(role, sender.ended, content_type))
        return
    _report(session, sender, INNER, record, inner_type(role, content_type))
    if content_type != HANDSHAKE and session.handshake.readers[role].is_inside():
        _report(session, sender, INTERLEAVED, record, interleaved(role, content_type))
    if sender.ended and content_type != ALERT:
        _report(session, sender, ENDED, record, after_end(role, sender.ended, content_type))


def check_ended(session: Any, record: Any) -> None:
    """Check a record that was not decrypted, of a role that had ended its side in plaintext."""
    sender = session.roles[record.role]
    if record.content_type != ALERT and sender.ended and not session.handshake.parameters.tls13:
        _report(session, sender, ENDED, record, after_end(record.role, sender.ended, record.content_type))


def check_change(session: Any, record: Any) -> None:
    """Check a ChangeCipherSpec in plaintext."""
    sender, parameters = session.roles[record.role], session.handshake.parameters
    if sender.unsure or record.missing or (sender.change_frame > 0 and not parameters.tls13):  # it may be encrypted
        return
    finished = parameters.tls13 and sender.state == State.CONNECTED
    _report(session, sender, CHANGE, record, change_fault(record.role, record.body, record.length, finished))
    if parameters.tls13 and session.handshake.readers[record.role].is_inside():
        _report(session, sender, INTERLEAVED, record, interleaved(record.role, CHANGE_CIPHER_SPEC))


def take_heartbeat(session: Any, record: Any, body: bytes, length: int, hidden: bool) -> None:
    """Take a heartbeat (RFC 6520), and look for the Heartbleed attack.

    body, length: what there is of its plaintext, and how long that is; hidden: whether it is encrypted instead.
    """
    if session.log.events is not None:
        session.log.emit(record_event("heartbeat", record.role, length, record.frame, record.at))
    if session.heartbeats is None:
        session.heartbeats = Heartbeats()
        check_heartbeat(session, record)
    if hidden:
        suite = session.handshake.parameters.suite
        found = session.heartbeats.look(record.role, length, suite, session.log.version)
    else:
        early = not session.log.gaps and not session.handshake.decrypting
        found = session.heartbeats.take(record.role, body, length, early)
    for code, severity, detail in found:
        session.log.add_finding(code, severity, detail, record.frame)


def check_heartbeat(session: Any, record: Any) -> None:
    """Check whether the hellos agreed on heartbeats, at the first one."""
    hellos, parameters = session.handshake.hellos, session.handshake.parameters
    offer, answer = hellos.fingerprint_input, hellos.server_fingerprint_input
    if offer is None or answer is None or hellos.ech is not None:
        return
    agreed = parameters.agreed if parameters.tls13 else answer[2]
    offered = HEARTBEAT_EXTENSION in offer[2]
    if offered and agreed is None:
        return
    found = heartbeat_fault(record.role, offered, offered and HEARTBEAT_EXTENSION in agreed)
    allowed = parameters.heartbeat if record.role != SERVER else 0 if hellos.offer is None else hellos.offer.heartbeat
    if found is None and allowed == REQUESTS_NOT_ALLOWED:
        found = forbidden_request(record.role)  # the first heartbeat is a request
    if found is not None:
        session.log.add_finding(*found, record.frame)


def _report(session: Any, sender: Any, rule: int, record: Any, found: Breach | None) -> None:
    """Add a finding, once for a rule and role."""
    if found is not None and not sender.reported & rule:
        sender.reported |= rule
        session.log.add_finding(*found, record.frame)
