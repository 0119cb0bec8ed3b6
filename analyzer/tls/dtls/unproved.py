"""Reports what came in plaintext in a DTLS session and proves nothing, because anybody who knows two ports can have sent it."""

from analyzer.codec.registry import registry
from analyzer.tls.session_log import MAX_FRAMES, ROLES, SessionLog

_NAMES = registry("handshake_types")


def report_unproved(log: SessionLog, role: int, number: int, frame: int) -> None:
    """Report a handshake message that has no place in its handshake. number: its type."""
    detail = (
        f"a {_NAMES.name(number)} of the {ROLES[role]} came where its handshake has none; nothing proves that it is its own, "
        "and it is not used"
    )
    _report(log, "unproved_message", "info", detail, frame)


def ignore_alert(log: SessionLog, role: int, frame: int) -> None:
    """Mark an alert in plaintext whose role went on behind it: receivers cannot know who sent it (RFC 9147 section 4.5.2)."""
    for alert in log.alerts:
        if alert.frame == frame and alert.role == role and not alert.encrypted:
            alert.injected = True
    who = ROLES[role]
    detail = (
        f"an alert of the {who} came in plaintext, and the {who} went on: anybody can have sent it, and it counts for nothing"
    )
    _report(log, "ignored_alert", "info", detail, frame)


def _report(log: SessionLog, code: str, severity: str, detail: str, frame: int) -> None:
    """Report it once, with the frames of all: whoever can send one can send many."""
    for known in log.findings:
        if known.code == code and known.detail == detail:
            if len(known.frames) < MAX_FRAMES:
                known.frames.append(frame)
            return
    log.add_finding(code, severity, detail, frame)
