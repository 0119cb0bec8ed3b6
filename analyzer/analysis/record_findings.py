"""What is odd about a session's protected records: data without an end, records that are too long, a MAC that nobody checked.

Until a side says close_notify, more might have come (RFC 9846 section 6.1): who can cut a connection can cut off the end of
what was said. Some programs never say it, so its absence proves nothing; it matters where the length of the data is not told
otherwise. Suites without encryption leave the data readable to all, and its MAC to those who have the secret.
"""

import cython

from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.events import Alert, Finding
from analyzer.tls.session import Session

ROLES = ("client", "server")

CLOSE_NOTIFY, FATAL = 0, 2

_CLOSED = {"fin": "the connection was closed", "rst": "the connection was reset"}


def anomalies(session: Session) -> list[Finding]:
    """The findings about the records of a session that was decrypted."""
    work: Decryption | None = session.handshake.decryption
    role: cython.int
    found: list[Finding] = []
    if work is None or not work.records:
        return found
    if work.schedule12.unverified:
        detail = "the cipher suite does not encrypt: what was sent is shown as it is, its MAC unchecked for want of the secret"
        found.append(Finding("unchecked_mac", "medium", detail, []))
    for role in range(2):
        if work.oversized[role]:
            who, n_bytes = ROLES[role], work.oversized[role]
            detail = f"the {who} sent a record of {n_bytes} bytes, and was asked for no more than {work.limits[role]}"
            found.append(Finding("record_too_long", "low", detail, []))
    closed = _CLOSED.get(session.flow.closed)
    if closed is None or work.status != "decrypted":
        return found
    for role in range(2):
        if work.sent[role] and not _said_end(session, role):
            detail = f"{closed} and the {ROLES[role]} never said close_notify: more may have been sent"
            found.append(Finding("no_close_notify", "info", detail, []))
    return found


def _said_end(session: Session, role: cython.int) -> cython.bint:
    """Whether a role said that it ends, by close_notify or a fatal alert."""
    alert: Alert
    for alert in session.log.alerts:
        if alert.role == role and (alert.description == CLOSE_NOTIFY or alert.level == FATAL):
            return True
    return False
