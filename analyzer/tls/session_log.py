"""What a session keeps of what happened in it: lists with limits, and what is beyond them counted."""

from hashlib import sha256
from typing import Any

import cython

from analyzer.flows.flow import CLIENT
from analyzer.tls.events import Alert, Conflict, Event, Finding, Gap, HandshakeMessage
from analyzer.tls.limits import MAX_ALERTS, MAX_CHAINS, MAX_EVIDENCE, MAX_GAPS, MAX_MESSAGES

# Once compiled a C variable, which no other module sees.
_CLIENT = CLIENT

ROLES = ("client", "server")


class SessionLog:
    """The lists of one session.

    session: its number. version: what it speaks by now, 0 before that is known. events: the list that everything is told to
    as it happens, None where nobody listens; places: whether it hears where records and messages stand. certificate_changes:
    role, frame and certificates of each list of certificates that a role sent after its first, and that is another. dropped:
    how many entries are not listed.
    """

    __slots__ = (
        "alerts", "certificate_changes", "conflicts", "dropped", "events", "findings", "gaps", "messages", "places", "session",
        "version",
    )  # fmt: skip

    def __init__(self, session: cython.longlong, events: list[Event] | None, places: cython.bint = True) -> None:
        self.session = session
        self.version = 0
        self.events = events
        self.places = places and events is not None
        self.messages: list[HandshakeMessage] = []
        self.alerts: list[Alert] = []
        self.gaps: list[Gap] = []
        self.conflicts: list[Conflict] = []
        self.findings: list[Finding] = []
        self.certificate_changes: list[tuple[int, int, list[bytes]]] = []
        self.dropped = 0

    def tell(self, event: Event) -> None:
        """Tell an event to who listens."""
        if self.events is not None:
            event.session = self.session
            event.version = self.version
            self.events.append(event)

    def add_alert(self, alert: Alert) -> None:
        """Keep an alert."""
        if len(self.alerts) >= MAX_ALERTS:
            self.dropped += 1
            return
        self.alerts.append(alert)
        self.tell(alert)

    def add_finding(self, code: str, severity: str, detail: str, frame: cython.longlong) -> None:
        """Keep a finding; `frame` 0 is none."""
        if len(self.findings) >= MAX_GAPS:
            self.dropped += 1
            return
        finding = Finding(code, severity, detail, [frame] if frame else [])
        self.findings.append(finding)
        self.tell(finding)

    def add_gap(self, gap: Gap) -> None:
        """Keep a gap."""
        if len(self.gaps) < MAX_GAPS:
            self.gaps.append(gap)
        else:
            self.dropped += 1
        self.tell(gap)

    def add_conflict(
        self, role: cython.int, offset: cython.longlong, first: bytes, second: bytes, frame: cython.longlong
    ) -> None:
        """Keep both versions of bytes on which two segments disagree; the first is what was read."""
        if len(self.conflicts) >= MAX_GAPS:
            self.dropped += 1
            return
        conflict = Conflict(role, offset, first[:MAX_EVIDENCE], second[:MAX_EVIDENCE], frame)
        self.conflicts.append(conflict)
        self.tell(conflict)
        detail = (
            f"{len(first)} bytes at {offset} of the {ROLES[role]}'s stream were sent again with other contents; "
            "the first are used"
        )
        self.add_finding("conflicting_segments", "high", detail, frame)

    def add_certificate_change(self, role: cython.int, listed: list[Any], first: list[Any], frame: cython.longlong) -> None:
        """Keep certificates of a role that are others than its first, from a renegotiation or after the handshake."""
        if (role, listed) in [(sender, known) for sender, _, known in self.certificate_changes]:
            return
        if len(self.certificate_changes) >= MAX_CHAINS:
            self.dropped += 1
            return
        self.certificate_changes.append((role, frame, listed))
        who = ROLES[role]
        if listed[0] == first[0]:
            detail = f"the {who} sent its certificate again, with others behind it"
        else:
            detail = f"the {who} sent another certificate than before, with the SHA-256 {sha256(listed[0]).hexdigest()}"
        severity = "medium" if role != _CLIENT and listed[0] != first[0] else "info"
        detail += "; certificates and chain of this session are those sent first"
        self.add_finding("certificate_changed", severity, detail, frame)

    def full(self) -> cython.bint:
        """Whether no more messages are kept."""
        return len(self.messages) >= MAX_MESSAGES

    def in_order(self) -> None:
        """Put messages and alerts in the order of their frames: what waited behind a hole came only when it was given up."""
        self.messages.sort(key=frame_of)
        self.alerts.sort(key=frame_of)

    def close(self, frame: cython.longlong) -> None:
        """Say how much is not listed."""
        if self.dropped:
            detail = f"{self.dropped} further messages, alerts, gaps or findings are not listed"
            finding = Finding("limit", "medium", detail, [frame] if frame else [])
            self.findings.append(finding)
            self.tell(finding)


def frame_of(fact: HandshakeMessage | Alert) -> int:
    """Sort key: the frame of a message or alert."""
    return fact.frame
