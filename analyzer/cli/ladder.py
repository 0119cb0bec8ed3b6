"""Prints the handshake of one session as a ladder: client at the left, server at the right, an arrow for everything sent."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from analyzer.analysis.authenticity import authenticity
from analyzer.cli.authentication_text import check_text
from analyzer.cli.escape import harmless
from analyzer.cli.explain import GAP, OPENED, explanation
from analyzer.cli.formatting import count_text, offset_text, size_text
from analyzer.cli.message_summary import Facts, alert_text, message_facts
from analyzer.cli.output import Output
from analyzer.cli.table import cut, pad, width, wrap
from analyzer.tls.events import Alert, Event, HandshakeMessage, RecordEvent
from analyzer.tls.messages.numbers import SSL2
from analyzer.tls.session import Session

MAX_STEPS = 4096
"""The most steps that are kept of a session. A handshake has about ten. A peer can send heartbeats without end."""

_GUTTER = 21
"""Columns for the frame number and the time."""

_LANE = 66
"""Columns of the longest arrow."""

_INDENT = 3
"""Columns by which the lines below an arrow are indented."""

_LABEL = 14
"""Columns for the labels of the lines below an arrow."""

_NOTE = -1
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
        rungs = _merged(self.steps, session.handshake.parameters.tls13)
        for gap in session.log.gaps:
            _insert(rungs, Step("gap", gap.role, gap.frame, -1, gap.length, [0, 0], [0, 0], gap.frame))
        for finding in session.log.findings:
            frame = finding.frames[0] if finding.frames else session.flow.last_frame
            _insert(rungs, Step("finding", _NOTE, frame, -1, finding, [0, 0], [0, 0], frame))
        return rungs


def _merged(steps: list[Step], tls13: bool) -> list[Step]:
    """Merge records of data: both directions become one step.

    In TLS 1.3 the first records of each side end the handshake, so they are a step of their own. If a side's handshake was
    decrypted, its messages are steps of their own, and all its records of data are data.
    """
    merged: list[Step] = []
    shown = [not tls13 or any(_opened(step, side) for step in steps) for side in range(2)]
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


def _insert(rungs: list[Step], step: Step) -> None:
    """Insert a gap or finding after the last step of its frame or of an earlier frame."""
    place = len(rungs)
    while place and rungs[place - 1].frame > step.frame:
        place -= 1
    rungs.insert(place, step)


class Ladder:
    """Prints the steps of a session. terse: without the sentences that explain them."""

    def __init__(self, output: Output, session: Session, terse: bool) -> None:
        self._output = output
        self._session = session
        self._terse = terse
        self._lane = max(20, min(_LANE, output.width - _GUTTER))
        self._explained: set[str] = set()
        self._authenticity = authenticity(session)

    def print(self, rungs: list[Step]) -> None:
        """Print the header line and all steps."""
        output = self._output
        ends = pad("client", self._lane - len("server")) + "server"
        output.line(output.paint(f"{'frame':>6}  {'ms':>10}   {ends}", "bold"))
        for step in rungs:
            self._rung(step)

    def _rung(self, step: Step) -> None:
        if step.kind == "finding":
            self._finding(step)
            return
        if step.kind == "gap":
            self._gap(step)
            return
        name, title, facts = self._step_text(step)
        arrow = self._both(title) if step.kind == "application_data" else self._arrow(title, step.side)
        frames = str(step.frame)
        time = offset_text(step.at, self._session.flow.start).removesuffix(" ms")
        style = "alarm" if step.kind == "alert" and "fatal" in title else ("cyan", "magenta")[step.side]
        self._output.line(f"{frames:>6}  {time:>10}   " + self._output.paint(arrow, style))
        for label, value in facts:
            self._fact(label, value)
        if step.kind == "message":
            checked = check_text(self._authenticity, name, ("client", "server")[step.side])
            if checked is not None:
                self._fact("check", *checked)
            for problem in step.item.problems:
                self._fact("problem", harmless(f"{problem.field} at byte {problem.offset}: {problem.why}"), "alarm")
        self._explain(name)

    def _step_text(self, step: Step) -> tuple[str, str, Facts]:
        """Return the name by which a step is explained, the text on its arrow, and the facts below it."""
        if step.kind == "message":
            message: HandshakeMessage = step.item
            hidden = ", encrypted" if message.body is None and message.encrypted else ""
            title = f"{camel(message.name)} ({count_text(message.length, 'byte')}{hidden})"
            ssl2 = self._session.handshake.parameters.version == SSL2 and message.name == "client_hello"
            name = "ssl2_client_hello" if ssl2 else message.name
            return name, title, message_facts(message)
        if step.kind == "alert":
            alert: Alert = step.item
            words = "encrypted" if alert.level < 0 else alert_text(alert.level, alert.description)
            return "alert", f"Alert: {words}", []
        n_bytes = sum(step.n_bytes)
        records = count_text(sum(step.count), "record")
        until = f", to frame {step.last_frame}" if step.last_frame > step.frame else ""
        size = f"{records}, {size_text(n_bytes)}{until}"
        if step.kind == "change_cipher_spec":
            return step.kind, "ChangeCipherSpec", []
        if step.kind == "application_data":
            sides = ("client", "server")
            parts: Facts = [
                (sides[side], f"{count_text(step.count[side], 'record')}, {size_text(step.n_bytes[side])}")
                for side in range(2)
                if step.count[side]
            ]
            return step.kind, "Application Data", [*parts, *([("until", f"frame {step.last_frame}")] if until else [])]
        titles = {
            "early_data": f"Early Data ({size})",
            "encrypted_server": f"Encrypted records ({size})",
            "encrypted_client": f"Encrypted records ({size})",
            "encrypted_handshake": f"Encrypted Handshake Message ({size})",
            "heartbeat": f"Heartbeat ({size})",
        }
        return step.kind, titles.get(step.kind, step.kind), []

    def _arrow(self, title: str, side: int) -> str:
        text = cut(title, self._lane - 8)
        rest = "─" * (self._lane - width(text) - 7)
        return f"──── {text} {rest}▶" if side == 0 else f"◀{rest} {text} ────"

    def _both(self, title: str) -> str:
        text = cut(title, self._lane - 8)
        left = (self._lane - width(text) - 4) // 2
        right = self._lane - width(text) - 4 - left
        return f"◀{'═' * left} {text} {'═' * right}▶"

    def _fact(self, label: str, value: str, style: str = "") -> None:
        room = max(20, self._output.width - _GUTTER - _LABEL - _INDENT)
        for line in wrap(value, room):
            self._output.line(
                " " * (_GUTTER + _INDENT) + self._output.paint(f"{label:<{_LABEL}}", "dim") + self._output.paint(line, style)
            )
            label = ""

    def _explain(self, name: str) -> None:
        """Print the sentence for a step, the first time that such a step comes."""
        session = self._session
        parameters = session.handshake.parameters
        sentence = explanation(name, parameters.tls13, bool(parameters.resumption))
        if name == "application_data" and any(one.encrypted and one.body is not None for one in session.log.messages):
            sentence = OPENED
        if self._terse or not sentence or name in self._explained:
            return
        self._explained.add(name)
        self._sentence(sentence)

    def _sentence(self, sentence: str) -> None:
        for line in wrap(sentence, max(20, min(self._output.width, _GUTTER + _LANE) - _GUTTER - _INDENT)):
            self._output.line(" " * (_GUTTER + _INDENT) + self._output.paint(line, "dim"))

    def _gap(self, step: Step) -> None:
        who = ("client", "server")[step.side]
        text = f"gap: {count_text(step.item, 'byte')} of the {who}'s stream are not in the capture"
        self._output.line(" " * _GUTTER + self._output.paint(f"╌╌╌╌ {text} ╌╌╌╌", "yellow"))
        if not self._terse and "gap" not in self._explained:
            self._explained.add("gap")
            self._sentence(GAP)

    def _finding(self, step: Step) -> None:
        finding = step.item
        style = {"high": "alarm", "medium": "yellow"}.get(finding.severity, "dim")
        room = max(20, self._output.width - _GUTTER - _INDENT)
        head = "! "
        for line in wrap(harmless(f"{finding.code}: {finding.detail}"), room):
            self._output.line(" " * _GUTTER + self._output.paint(head + line, style))
            head = "  "


def camel(name: str) -> str:
    """Return a message's name as the RFC writes the structure: `client_hello` is `ClientHello`."""
    return "".join(_ABBREVIATIONS.get(word, word[:1].upper() + word[1:]) for word in name.split("_"))
