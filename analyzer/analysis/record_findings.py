"""Finds anomalies in a session's protected records: data without an end, too long records, a MAC that was not checked.

Until a side sends close_notify, more data may follow (RFC 9846 section 6.1). An attacker who can end a connection can therefore
remove the end of the data. Some programs never send close_notify, so its absence proves nothing. It matters only if nothing
else gives the length of the data. Cipher suites without encryption leave the data readable to everybody; its MAC can be checked
only with the secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.codec.errors import Anomaly, Incomplete
from analyzer.codec.registry import registry
from analyzer.flows.carrier import EAP
from analyzer.flows.flow import Flow
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.events import Alert, Finding, Gap, HandshakeMessage
from analyzer.tls.limits import MAX_GAPS
from analyzer.tls.session import Session

if TYPE_CHECKING:
    import cython

ROLES = ("client", "server")

CLOSE_NOTIFY, FATAL = 0, 2

DESCRIPTIONS = registry("alert_descriptions").names

MAX_FRAMES = 16
"""Maximum number of frames that one finding about gaps names."""

_CLOSED = {"fin": "the connection was closed", "rst": "the connection was reset"}


LEAST_RESENT = 3
"""Segments of a side that come again before it is worth a finding: one or two are in every long connection."""


def anomalies(session: Session) -> list[Finding]:
    """Return the findings about the records of a session that was decrypted."""
    work: Decryption | None = session.handshake.decryption
    role: cython.int
    found: list[Finding] = []
    if work is None or not work.records:
        return found
    if work.schedule12.unverified:
        detail = "the cipher suite does not encrypt: what was sent is shown as it is, its MAC unchecked for want of the secret"
        found.append(Finding("unchecked_mac", "medium", detail, []))
    for role in range(2):
        oversized: Any = work.oversized[role]
        if oversized is not None:
            who, n_bytes = ROLES[role], oversized[0]
            detail = f"the {who} sent a record of {n_bytes} bytes, and was asked for no more than {work.limits[role]}"
            found.append(Finding("record_too_long", "low", detail, list(dict.fromkeys(oversized[1]))))
    closed = _CLOSED.get(session.flow.closed)
    carrier: Any = session.flow.carrier
    if carrier is not None and carrier.name == EAP:  # its methods end without close_notify
        return found
    if closed is None or session.transport is not None or work.status != "decrypted":
        return found
    for role in range(2):
        if work.sent[role] and not _ended_properly(session, role):
            detail = f"{closed} and the {ROLES[role]} never said close_notify: more may have been sent"
            found.append(Finding("no_close_notify", "info", detail, []))
    return found


def log_findings(session: Session) -> list[Finding]:
    """Return a finding for each message that could not be read whole, each fatal alert, and each role with gaps."""
    message: HandshakeMessage
    alert: Alert
    gap: Gap  # noqa: F842 - its type in the comprehensions below, for C
    role: cython.int
    found: list[Finding] = []
    for message in session.log.messages:
        problem: Any = message.problems[0] if message.problems else None
        if type(problem) is Incomplete and not _sent_so(session, message.role):
            detail = f"the {message.name} of the {ROLES[message.role]} is not whole: {problem.why}"
            found.append(Finding("gap", "low", detail, [message.frame]))
        elif problem is not None and not isinstance(problem, Anomaly) and not session.log.doubtful:  # it has its own finding
            found.append(Finding("message_problem", "low", f"{message.name}: {problem.field}: {problem.why}", [message.frame]))
    for alert in session.log.alerts:
        if alert.level == FATAL and not alert.injected:
            detail = f"{ROLES[alert.role]} gave up: {DESCRIPTIONS[alert.description]}"
            found.append(Finding("fatal_alert", "medium", detail, [alert.frame]))
    add_delivery(found, session.flow)
    if not session.log.gaps:
        return found
    for role in range(2):
        gaps = [gap for gap in session.log.gaps if gap.role == role]
        if gaps:
            n_bytes = sum([gap.length for gap in gaps])
            detail = f"{n_bytes:,} bytes that the {ROLES[role]} sent are not in the capture; gaps: {len(gaps):,}"
            known = 0 not in [gap.length for gap in gaps]
            n_gaps, who = len(gaps), ROLES[role]
            if n_bytes == 0:
                detail = f"not all that the {who} sent is in the capture, and the size is unknown; gaps: {n_gaps:,}"
            elif len(session.log.gaps) >= MAX_GAPS:
                detail = f"at least {n_bytes:,} bytes that the {who} sent are not in the capture; gaps: at least {n_gaps:,}"
            elif not known:
                detail = f"at least {n_bytes:,} bytes that the {who} sent are not in the capture; gaps: {n_gaps:,}"
            frames = list(dict.fromkeys([gap.frame for gap in gaps if gap.frame]))
            found.append(Finding("gap", "low", detail, frames[:MAX_FRAMES]))
    return found


def add_delivery(found: list[Any], flow: Flow) -> None:
    """Add findings about how the bytes came: only one side, some again, and some that the path has lost, not the capture."""
    frames = [flow.first_frame]
    for role in range(2):
        if flow.unseen & 1 << role:
            other = ROLES[1 - role]
            detail = f"no packet of the {ROLES[role]} is in the capture: only the {other}'s side of the session can be read"
            found.append(Finding("one_side_only", "low", detail, frames))
        if flow.unacknowledged[role]:
            n_lost, role_name, other = flow.unacknowledged[role], ROLES[role], ROLES[1 - role]
            detail = (
                f"{n_lost:,} missing bytes of the {role_name} were not acknowledged by the {other}: they were lost on the path"
            )
            found.append(Finding("lost_on_path", "low", detail, frames))
    if flow.resent[0] >= LEAST_RESENT or flow.resent[1] >= LEAST_RESENT:
        detail = f"segments that came again: {flow.resent[0]:,} of the client, {flow.resent[1]:,} of the server"
        found.append(Finding("retransmissions", "info", detail, frames))
    if flow.copies:
        detail = f"packets of this connection that were captured twice: {flow.copies:,}; each counts once"
        found.append(Finding("captured_twice", "info", detail, frames))


def _sent_so(session: Session, role: cython.int) -> cython.bint:
    """Return whether all that a role sent is in the capture up to its FIN: what is cut then was cut by its sender.

    Nobody can tell it of datagrams, which get lost unseen.
    """
    gap: Gap
    if session.transport is not None:
        return False
    for gap in session.log.gaps:
        if gap.role == role:
            return False
    return session.flow.closed == "fin"


def _ended_properly(session: Session, role: cython.int) -> cython.bint:
    """Return whether a role ended its data, by close_notify or by a fatal alert."""
    alert: Alert
    for alert in session.log.alerts:
        if alert.role == role and not alert.injected and (alert.description == CLOSE_NOTIFY or alert.level == FATAL):
            return True
    return False
