"""Keeps what happened in a session, in lists with limits, and counts what is beyond the limits."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from analyzer.codec.errors import Anomaly
from analyzer.codec.registry import registry
from analyzer.flows.flow import CLIENT
from analyzer.tls.events import Alert, Conflict, Event, Finding, Gap, HandshakeMessage, RecordRead, handshake_message
from analyzer.tls.limits import MAX_ALERTS, MAX_CHAINS, MAX_EVIDENCE, MAX_GAPS, MAX_MESSAGES
from analyzer.tls.messages.numbers import CLIENT_HELLO, FINISHED, HELLO_RETRY_REQUEST, SERVER_HELLO
from analyzer.tls.record.record import Record
from analyzer.tls.session_times import time_finding

if TYPE_CHECKING:
    import cython

# In the compiled build this is a C variable, which other modules cannot see.
_CLIENT = CLIENT

ROLES = ("client", "server")

CONTENT_TYPES = registry("content_types")

FATAL = 2
"""The level of an alert that ends the connection (RFC 5246 section 7.2)."""

MAX_FRAMES = 16
"""Frames that a finding about records in plaintext names, and such findings of a session."""

SHOWN = 48
"""Bytes of a record in plaintext that a finding shows."""

PLAINTEXT = "came in plaintext where its sender encrypts, so anybody on the path can have inserted it"
"""What is wrong with a message that comes after the change to encryption, and is not encrypted."""


class SessionLog:
    """The lists of one session.

    session: its number. version: its TLS version so far, 0 before it is known. events: the list to which all events are
    appended as they happen, None without listeners; places: whether positions of records and messages are emitted too.
    certificate_changes: role, frame and certificates of each certificate list that a role sent after its first one and that
    differs from it. forged: findings about records in plaintext, by role and kind. dropped: how many entries are not listed.
    repeats: what the session has in common with earlier ones of the run (`analysis.repetitions`), set when it has ended.
    doubtful: whether bytes are missing of which nobody knows how many: then nobody is blamed for what follows, which in EAP can
    even be of another conversation.
    """

    __slots__ = (
        "alerts", "certificate_changes", "conflicts", "doubtful", "dropped", "events", "findings", "forged", "gaps", "messages",
        "places", "repeats", "session", "version",
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
        self.forged: dict[tuple[int, str], Finding] = {}
        self.dropped = 0
        self.doubtful = False
        self.repeats: list[Finding] = []

    def emit(self, event: Event) -> None:
        """Emit an event to the listeners, if there are any."""
        if self.events is not None:
            event.session = self.session
            event.version = self.version
            self.events.append(event)

    def emit_record(self, record: Record) -> None:
        """Emit the position of a record."""
        place = record.offset, record.header, record.length
        self.emit(RecordRead(record.role, record.content_type, *place, record.frame, record.at, record.version))

    def add_alert(self, alert: Alert) -> None:
        """Keep an alert."""
        if len(self.alerts) >= MAX_ALERTS:
            self.dropped += 1
            return
        self.alerts.append(alert)
        self.emit(alert)

    def disbelieve(self, message: HandshakeMessage) -> None:
        """Mark a message in plaintext that somebody can have inserted, and report it."""
        message.problems = [*message.problems, Anomaly(message.name, 0, PLAINTEXT)]
        detail = (
            f"a {message.name} of the {ROLES[message.role]} came in plaintext where it encrypts: "
            "anybody on the path can have inserted it, and nothing is taken from it"
        )
        self.report_forged(message.role, message.name, detail, message.frame)

    def disbelieve_earlier(self) -> cython.bint:
        """Disbelieve all messages in plaintext but hellos, because TLS 1.3 has none. Returns whether there are any."""
        message: HandshakeMessage
        found: cython.bint = False
        for message in self.messages:
            if message.type not in (CLIENT_HELLO, SERVER_HELLO, HELLO_RETRY_REQUEST) and not message.encrypted:
                self.disbelieve(message)
                found = True
        return found

    def report_alert(self, role: cython.int, frame: cython.longlong) -> None:
        """Report an alert in plaintext that its role cannot have sent."""
        detail = f"an alert of the {ROLES[role]} came in plaintext where it encrypts: anybody on the path can have inserted it"
        self.report_forged(role, "alert", detail, frame)

    def disbelieve_alert(self, role: cython.int, frame: cython.longlong) -> None:
        """Mark the alert of a role which goes on behind it with encrypted records: it was not its own."""
        alert: Alert
        for alert in self.alerts:
            if alert.frame == frame and alert.role == role and not alert.encrypted:
                alert.injected = True
        self.report_alert(role, frame)

    def report_unbound(self, unbound: Any, frame: cython.longlong) -> None:
        """Report a hello of a renegotiation that nothing binds to its connection: severity and sentence, or None."""
        if unbound is not None:
            self.add_finding("unbound_renegotiation", unbound[0], unbound[1], frame)

    def report_plaintext(
        self, role: cython.int, content_type: cython.int, body: bytes, length: cython.longlong, frame: cython.longlong
    ) -> None:
        """Report a record in plaintext that is neither a handshake message nor an alert."""
        kind = CONTENT_TYPES.name(content_type)
        who = ROLES[role]
        detail = f"{length} bytes of the {who} in a record of type {kind} came in plaintext where it encrypts: {excerpt(body)}"
        self.report_forged(role, kind, detail, frame)

    def report_forged(self, role: cython.int, kind: str, detail: str, frame: cython.longlong) -> None:
        """Report a record in plaintext. There is one finding for those of a kind and role, with the detail of the first."""
        known = self.forged.get((role, kind))
        if known is not None:
            if len(known.frames) < MAX_FRAMES:
                known.frames.append(frame)
        elif len(self.forged) < MAX_FRAMES and len(self.findings) < MAX_GAPS and not self.doubtful:
            self.add_finding("plaintext_record", "high", detail, frame)
            self.forged[role, kind] = self.findings[len(self.findings) - 1]

    def add_hidden_finished(self, record: Record) -> None:
        """Keep the Finished in an encrypted record that was not decrypted."""
        if self.full():
            self.dropped += 1
            return
        message = handshake_message(
            FINISHED, "finished", record.role, record.frame, record.at, record.length, b"", None, [], True
        )
        self.messages.append(message)
        if self.events is not None:
            message.pieces = ((record.offset + record.header, record.length),)
            self.emit(message)

    def add_finding(self, code: str, severity: str, detail: str, frame: cython.longlong) -> None:
        """Keep a finding; `frame` 0 means no frame. Where the log is doubtful, only those that blame nobody are kept."""
        if self.doubtful and severity != "info":
            return
        if len(self.findings) >= MAX_GAPS:
            self.dropped += 1
            return
        finding = Finding(code, severity, detail, [frame] if frame else [])
        self.findings.append(finding)
        self.emit(finding)

    def add_gap(self, gap: Gap) -> None:
        """Keep a gap. Its length is 0 where nobody knows it."""
        if gap.length == 0:
            self.doubtful = True
        if len(self.gaps) < MAX_GAPS:
            self.gaps.append(gap)
        else:
            self.dropped += 1
        self.emit(gap)

    def add_conflict(
        self, role: cython.int, offset: cython.longlong, first: bytes, second: bytes, frame: cython.longlong
    ) -> None:
        """Keep both versions of bytes for which two segments differ; the first version was used."""
        if len(self.conflicts) >= MAX_GAPS:
            self.dropped += 1
            return
        conflict = Conflict(role, offset, first[:MAX_EVIDENCE], second[:MAX_EVIDENCE], frame)
        self.conflicts.append(conflict)
        self.emit(conflict)
        who = ROLES[role]
        if len(first) == 1:
            detail = f"1 byte at {offset} of the {who}'s stream was sent again with other contents; the first one is used"
        else:
            place = f"{len(first)} bytes at {offset} of the {who}'s stream"
            detail = f"{place} were sent again with other contents; the first ones are used"
        self.add_finding("conflicting_segments", "high", detail, frame)

    def add_certificate_change(self, role: cython.int, listed: list[Any], first: list[Any], frame: cython.longlong) -> None:
        """Keep certificates of a role that differ from its first ones, from a renegotiation or after the handshake."""
        if (role, listed) in [(sender, known) for sender, _, known in self.certificate_changes]:
            return
        if len(self.certificate_changes) >= MAX_CHAINS:
            self.dropped += 1
            return
        self.certificate_changes.append((role, frame, listed))
        who = ROLES[role]
        used = "certificates and chain of this session are those sent first"
        if listed[0] == first[0]:
            detail = f"the {who} sent its certificate again, with others behind it; {used}"
        else:
            mark = sha256(listed[0]).hexdigest()
            detail = f"the {who} sent another certificate than before, with the SHA-256 {mark}; {used}"
        severity = "medium" if role != _CLIENT and listed[0] != first[0] else "info"
        self.add_finding("certificate_changed", severity, detail, frame)

    def full(self) -> cython.bint:
        """Return whether no more messages are kept."""
        return len(self.messages) >= MAX_MESSAGES

    def in_order(self) -> None:
        """Sort messages and alerts by frame. Those after a gap were processed late, when the missing bytes were given up."""
        self.messages.sort(key=frame_of)
        self.alerts.sort(key=frame_of)

    def check_times(self, start: cython.longlong, first: cython.longlong, end: cython.longlong, last: cython.longlong) -> None:
        """Report times that cannot be. start, end: of the flow; first, last: the frames of these."""
        message: HandshakeMessage
        alert: Alert
        latest: cython.longlong = start
        rises: cython.bint = True
        for message in self.messages:
            rises = rises and latest <= message.at
            latest = message.at
        for alert in self.alerts:
            rises = rises and latest <= alert.at
            latest = alert.at
        if rises and latest <= end:  # nearly always
            return
        found = time_finding(self.messages, self.alerts, start, first, end, last)
        if found is not None:
            self.add_finding(found[0], found[1], found[2], found[3])

    def close(self, closed: str, limited: cython.longlong, frame: cython.longlong) -> None:
        """Add findings about what was left out: entries that are not listed, and what the limits of flows cut off.

        closed, limited: see `Flow`.
        """
        if closed == "evicted":
            detail = "closed early: more connections were open than the limits allow"
            self.add_finding("evicted", "info", detail, frame)
        if limited:
            detail = f"{limited} holes were given up early: too much waited behind them"
            self.add_finding("limit", "medium", detail, frame)
        if self.dropped:
            detail = f"{self.dropped} further messages, alerts, gaps or findings are not listed"
            finding = Finding("limit", "medium", detail, [frame] if frame else [])
            self.findings.append(finding)
            self.emit(finding)


def excerpt(data: bytes) -> str:
    """Return the beginning of plaintext for a finding: printable characters as they are, others as escapes."""
    return ascii(data[:SHOWN].decode("latin-1")) + ("…" if len(data) > SHOWN else "")


def frame_of(fact: HandshakeMessage | Alert) -> int:
    """Return the frame of a message or alert, as sort key."""
    return fact.frame
