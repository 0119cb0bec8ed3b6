"""Prints the handshake of one session as a ladder: client at the left, server at the right, an arrow for everything sent."""

from analyzer.analysis.authenticity import authenticity
from analyzer.cli.findings import finding_text
from analyzer.cli.output import Output
from analyzer.cli.table import cut, pad, width, wrap
from analyzer.text.authentication_text import check_text
from analyzer.text.escape import harmless
from analyzer.text.explain import GAP, step_sentences
from analyzer.text.formatting import missing_text, moment_text, offset_text, problem_text
from analyzer.text.handshake_steps import Step, insert_step, step_text
from analyzer.text.language import CHINESE, say, spoken
from analyzer.text.punctuation import labelled
from analyzer.text.wire_steps import WIRE, wire_steps
from analyzer.tls.events import HandshakeMessage
from analyzer.tls.session import Session

_GUTTER = 21
"""Columns for the frame number and the time."""

_LANE = 66
"""Columns of the longest arrow."""

_INDENT = 3
"""Columns by which the lines below an arrow are indented."""

_LABEL = 14
"""Columns for the labels of the lines below an arrow."""


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
        server = say("server")
        ends = pad(say("client"), self._lane - width(server)) + server
        output.line(output.paint(f"{pad(say('frame'), 6, True)}  {'ms':>10}   {ends}", "bold"))
        flow = self._session.flow
        zero = say("times count from {moment} UTC, frame {n}", moment=moment_text(flow.start), n=flow.first_frame)
        output.line(" " * _GUTTER + output.paint(zero, "dim"))
        for step in wire_steps(self._session):
            insert_step(rungs, step)
        for step in rungs:
            self._rung(step)

    def _rung(self, step: Step) -> None:
        if step.kind == "finding":
            self._finding(step)
            return
        if step.kind == "gap":
            self._gap(step)
            return
        if step.kind == WIRE:
            self._line(step.frame, step.at, self._arrow(harmless(step.item), step.side), "dim")
            return
        name, title, facts = step_text(step, self._session)
        arrow = self._both(title) if step.kind == "application_data" else self._arrow(title, step.side)
        style = "alarm" if step.kind == "alert" and step.item.level == 2 else ("cyan", "magenta")[step.side]
        self._line(step.frame, step.at, arrow, style)
        for label, value in facts:
            self._fact(label, value)
        if step.kind == "message":
            checked = check_text(self._authenticity, name, ("client", "server")[step.side])
            if checked is not None:
                self._fact(say("check"), *checked)
            for problem in step.item.problems:
                self._fact(say("problem"), harmless(problem_text(problem.field, problem.offset, problem.why)), "alarm")
        self._explain(name, step.item if step.kind == "message" else None)

    def _line(self, frame: int, at: int, arrow: str, style: str) -> None:
        time = offset_text(at, self._session.flow.start).removesuffix(" ms")
        self._output.line(f"{frame:>6}  {time:>10}   " + self._output.paint(arrow, style))

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
                " " * (_GUTTER + _INDENT) + self._output.paint(pad(label, _LABEL), "dim") + self._output.paint(line, style)
            )
            label = ""

    def _explain(self, name: str, message: HandshakeMessage | None) -> None:
        """Print the sentence for a step, the first time that such a step comes."""
        gap = "" if spoken() == CHINESE else " "
        sentence = gap.join(step_sentences(name, self._session, message))
        if self._terse or not sentence or name in self._explained:
            return
        self._explained.add(name)
        self._sentence(sentence)

    def _sentence(self, sentence: str) -> None:
        for line in wrap(sentence, max(20, min(self._output.width, _GUTTER + _LANE) - _GUTTER - _INDENT)):
            self._output.line(" " * (_GUTTER + _INDENT) + self._output.paint(line, "dim"))

    def _gap(self, step: Step) -> None:
        who, missing = say(("client", "server")[step.side]), missing_text([step.item])
        text = say("gap: {bytes} of the {side}'s stream are not in the capture", bytes=missing, side=who)
        self._output.line(" " * _GUTTER + self._output.paint(f"╌╌╌╌ {text} ╌╌╌╌", "yellow"))
        if not self._terse and "gap" not in self._explained:
            self._explained.add("gap")
            self._sentence(say(GAP))

    def _finding(self, step: Step) -> None:
        finding = step.item
        style = {"high": "alarm", "medium": "yellow"}.get(finding.severity, "dim")
        room = max(20, self._output.width - _GUTTER - _INDENT)
        head = "! "
        for line in wrap(harmless(labelled(finding.code, finding_text(finding.code, finding.detail))), room):
            self._output.line(" " * _GUTTER + self._output.paint(head + line, style))
            head = "  "
