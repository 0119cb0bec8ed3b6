"""Collects what happens in the handshake of one session as steps: messages, alerts, records, gaps and findings in their order.

A long exchange of data is one step. The ladder of the terminal and the session pages of a report are made of these steps.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from analyzer.codec.registry import registry
from analyzer.text.explain import ALERT
from analyzer.text.formatting import count_text, size_text
from analyzer.text.language import say
from analyzer.text.message_summary import Facts, alert_text, message_facts
from analyzer.text.punctuation import beside, clauses
from analyzer.tls.events import Alert, Event, HandshakeMessage, RecordEvent
from analyzer.tls.messages.numbers import SSL2
from analyzer.tls.session import Session

MAX_STEPS = 4096
"""The most steps that are kept of a session. A handshake has about ten. A peer can send heartbeats without end."""

DESCRIPTIONS = registry("alert_descriptions").names

NOTE = -1
"""The side of a step that neither side sent."""

_ABBREVIATIONS = {"url": "URL", "ekt": "EKT"}


@dataclass(slots=True)
class Step:
    """One step of the ladder.

    kind: `message`, `alert`, `gap`, `finding`, or the kind of a record event. side: 0 client, 1 server. count, n_bytes: of the
    records that are summed up in it, by side. last_frame: the frame of the last of these records.
    """

    kind: str
    side: int
    frame: int
    at: int
    item: Any
    count: list[int]
    n_bytes: list[int]
    last_frame: int


class Steps:
    """Collects what happens in one session."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.steps: list[Step] = []
        self.dropped = 0

    def take(self, events: Iterable[Event]) -> None:
        """Take the events of this session; ignore those of other sessions."""
        for event in events:
            if event.session == self.number and isinstance(event, HandshakeMessage | Alert | RecordEvent):
                self._add(event)

    def _add(self, item: HandshakeMessage | Alert | RecordEvent) -> None:
        side = item.role
        if isinstance(item, RecordEvent):
            last = self.steps[-1] if self.steps else None
            full = len(self.steps) >= MAX_STEPS
            if last is not None and last.kind == item.kind and (last.side == side or full):
                last.count[side] += 1
                last.n_bytes[side] += item.length
                last.last_frame = item.frame
                return
            kind = item.kind
        else:
            kind = "alert" if isinstance(item, Alert) else "message"
        if len(self.steps) >= MAX_STEPS:
            self.dropped += 1
            return
        step = Step(kind, side, item.frame, item.at, item, [0, 0], [0, 0], item.frame)
        if isinstance(item, RecordEvent):
            step.count[side] = 1
            step.n_bytes[side] = item.length
        self.steps.append(step)

    def rungs(self, session: Session) -> list[Step]:
        """Return all steps in order, with the gaps and findings in their places. A long exchange of data is one step."""
        if not self.steps:
            return []
        rungs = _merged(self.steps, session.handshake.parameters.tls13, session.transport is not None)
        for gap in session.log.gaps:
            insert_step(rungs, Step("gap", gap.role, gap.frame, -1, gap.length, [0, 0], [0, 0], gap.frame))
        for finding in session.log.findings:
            frame = finding.frames[0] if finding.frames else session.flow.last_frame
            insert_step(rungs, Step("finding", NOTE, frame, -1, finding, [0, 0], [0, 0], frame))
        return rungs


def step_text(step: Step, session: Session) -> tuple[str, str, Facts]:
    """Return the name by which a step is explained, the text on its arrow, and the facts below it.

    What QUIC protects are packets and no records (RFC 9001 section 5).
    """
    quic = session.transport is not None and session.transport.name == "quic"
    unit = "packet" if quic else "record"
    if step.kind == "message":
        message: HandshakeMessage = step.item
        hidden = say(", encrypted") if message.body is None and message.encrypted else ""
        title = beside(camel(message.name), f"{count_text(message.length, 'byte')}{hidden}")
        ssl2 = session.handshake.parameters.version == SSL2 and message.name == "client_hello"
        name = "ssl2_client_hello" if ssl2 else message.name
        return name, title, message_facts(message)
    if step.kind == "alert":
        alert: Alert = step.item
        words = say("encrypted") if alert.level < 0 else alert_text(alert.level, alert.description)
        name = "alert" if alert.level < 0 else f"{ALERT}{DESCRIPTIONS[alert.description]}"
        return name, say("Alert: {words}", words=words), []
    n_bytes = sum(step.n_bytes)
    units = count_text(sum(step.count), unit)
    until = say(", to frame {frame}", frame=step.last_frame) if step.last_frame > step.frame else ""
    size = clauses(units, f"{size_text(n_bytes)}{until}")
    if step.kind == "change_cipher_spec":
        return step.kind, "ChangeCipherSpec", []
    if step.kind == "application_data":
        sides = (say("client"), say("server"))
        parts: Facts = [
            (sides[side], clauses(count_text(step.count[side], unit), size_text(step.n_bytes[side])))
            for side in range(2)
            if step.count[side]
        ]
        return (
            step.kind,
            say("Application Data"),
            [*parts, *([(say("until"), say("frame {n}", n=step.last_frame))] if until else [])],
        )
    if step.kind == "encrypted_handshake" and quic:
        return "handshake_packets", say("Handshake ({size})", size=size), []
    titles = {
        "early_data": say("Early Data ({size})", size=size),
        "encrypted_server": say("Encrypted records ({size})", size=size),
        "encrypted_client": say("Encrypted records ({size})", size=size),
        "encrypted_handshake": say("Encrypted Handshake Message ({size})", size=size),
        "heartbeat": say("Heartbeat ({size})", size=size),
    }
    return step.kind, titles.get(step.kind, step.kind), []


def camel(name: str) -> str:
    """Return a message's name as the RFC writes the structure: `client_hello` is `ClientHello`."""
    return "".join(_ABBREVIATIONS.get(word, word[:1].upper() + word[1:]) for word in name.split("_"))


def _merged(steps: list[Step], tls13: bool, visible: bool) -> list[Step]:
    """Merge records of data: both directions become one step.

    In TLS 1.3 the first records of each side end the handshake, so they are a step of their own. If a side's handshake was
    decrypted, its messages are steps of their own, and all its records of data are data. In QUIC and DTLS it is visible what
    belongs to the handshake.
    """
    merged: list[Step] = []
    shown = [not tls13 or visible or any(_opened(step, side) for step in steps) for side in range(2)]
    for step in steps:
        if step.kind != "application_data":
            merged.append(step)
            continue
        last = merged[-1] if merged else None
        answered = any(one.kind == "message" and one.item.name == "server_hello" for one in merged)
        if tls13 and not answered:
            merged.append(replace(step, kind="early_data"))
        elif not shown[step.side]:
            shown[step.side] = True
            merged.append(replace(step, kind=("encrypted_client", "encrypted_server")[step.side]))
        elif last is not None and last.kind == "application_data":
            for side in range(2):
                last.count[side] += step.count[side]
                last.n_bytes[side] += step.n_bytes[side]
            last.last_frame = step.last_frame
        else:
            merged.append(replace(step, count=step.count[:], n_bytes=step.n_bytes[:]))
    return merged


def _opened(step: Step, side: int) -> bool:
    """Return whether a step is a message of that side that was encrypted on the wire and has been decrypted."""
    return step.kind == "message" and step.side == side and step.item.encrypted and step.item.body is not None


def insert_step(rungs: list[Step], step: Step) -> None:
    """Insert a gap or finding after the last step of its frame or of an earlier frame."""
    place = len(rungs)
    while place and rungs[place - 1].frame > step.frame:
        place -= 1
    rungs.insert(place, step)
