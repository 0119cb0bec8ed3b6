"""What a session keeps of what happened in it: lists with limits, and what is beyond them counted.

This module is compiled (see setup.cfg) and runs the same uncompiled.
"""

from hashlib import sha256
from typing import Any

import cython

from analyzer.tls.facts import Alert, Event, Finding, HandshakeMessage
from analyzer.tls.limits import MAX_ALERTS, MAX_CHAINS, MAX_EVIDENCE, MAX_GAPS, MAX_MESSAGES
from analyzer.tls.session_sink import SessionSink


class Ledger(SessionSink):
    """The lists. client: which side is the client. dropped: how much is not listed. `trace`, when set, is given every message,
    alert and event as it happens. later_chains: side, frame and certificates of each list of certificates that a side sent
    after its first, and that is another.
    """

    __slots__ = (
        "alerts", "client", "conflicts", "dropped", "events", "findings", "gaps", "later_chains", "messages", "trace",
    )  # fmt: skip

    def __init__(self, client: cython.int, trace: Any) -> None:
        self.list_nothing(client, trace)

    def list_nothing(self, client: cython.int, trace: Any) -> None:
        """Begin; compiled subclasses call this, and spare themselves the constructor above."""
        self.client = client
        self.trace = trace
        self.messages: list[HandshakeMessage] = []
        self.alerts: list[Alert] = []
        self.events: list[Event] = []
        self.gaps: list[tuple[int, int, int, int]] = []
        self.conflicts: list[tuple[int, int, bytes, bytes, int]] = []
        self.findings: list[Finding] = []
        self.later_chains: list[tuple[int, int, list[bytes]]] = []
        self.dropped = 0

    def add(self, message: HandshakeMessage) -> None:
        """Keep a message."""
        if len(self.messages) >= MAX_MESSAGES:
            self.dropped += 1
            return
        self.messages.append(message)
        if self.trace is not None:
            self.trace.append((self, message))

    def note(self, event: Event) -> None:
        """Keep an event."""
        if len(self.events) < MAX_MESSAGES:
            self.events.append(event)
        if self.trace is not None:
            self.trace.append((self, event))

    def add_alert(self, alert: Alert) -> None:
        """Keep an alert."""
        if len(self.alerts) >= MAX_ALERTS:
            self.dropped += 1
            return
        self.alerts.append(alert)
        if self.trace is not None:
            self.trace.append((self, alert))

    def finding(self, code: str, severity: str, detail: str, frame: cython.longlong) -> None:
        """Keep a finding."""
        if len(self.findings) < MAX_GAPS:
            self.findings.append(Finding(code, severity, detail, [frame] if frame else []))
        else:
            self.dropped += 1

    def lacks(self, side: cython.int, offset: cython.longlong, length: cython.longlong, frame: cython.longlong) -> None:
        """As in the class above."""
        if len(self.gaps) < MAX_GAPS:
            self.gaps.append((side, offset, length, frame))
        else:
            self.dropped += 1

    def conflict(self, side: cython.int, offset: cython.longlong, first: bytes, second: bytes, frame: cython.longlong) -> None:
        """Hear that two segments disagree; both versions are kept."""
        if len(self.conflicts) < MAX_GAPS:
            self.conflicts.append((side, offset, first[:MAX_EVIDENCE], second[:MAX_EVIDENCE], frame))
            who = "client" if side == self.client else "server"
            detail = (
                f"{len(first)} bytes at {offset} of the {who}'s stream were sent again with other contents; the first are used"
            )
            self.finding("conflicting_segments", "high", detail, frame)
        else:
            self.dropped += 1

    def recertify(self, side: cython.int, listed: list[Any], first: list[Any], frame: cython.longlong) -> None:
        """Hear that a side has sent other certificates than at first, in a renegotiation or after the handshake."""
        if (side, listed) in [(sender, known) for sender, _, known in self.later_chains]:
            return
        if len(self.later_chains) >= MAX_CHAINS:
            self.dropped += 1
            return
        self.later_chains.append((side, frame, listed))
        who = "client" if side == self.client else "server"
        if listed[0] == first[0]:
            detail = f"the {who} sent its certificate again, with others behind it"
        else:
            detail = f"the {who} sent another certificate than before, with the SHA-256 {sha256(listed[0]).hexdigest()}"
        severity = "medium" if side != self.client and listed[0] != first[0] else "info"
        detail += "; certificates and chain of this session are those sent first"
        self.finding("certificate_changed", severity, detail, frame)

    def heartbeat(
        self, side: cython.int, body: bytes, length: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Keep a heartbeat (RFC 6520); a payload length beyond the record is the Heartbleed attack (CVE-2014-0160).

        body: of the record, empty where it is encrypted.
        """
        self.note(Event("heartbeat", side, length, frame, at))
        if 3 > len(body):
            return
        claimed: cython.int = body[1] << 8 | body[2]
        if claimed > length - 3:
            detail = f"a heartbeat claims {claimed} bytes of payload in a record of {length}: the Heartbleed attack"
            self.finding("heartbleed", "high", detail, frame)
