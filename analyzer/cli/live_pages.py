"""The pages of the full-screen view that show one session (its ladder, and its data as it comes), and that of all failures."""

import io
import os
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from analyzer.cli.failure_text import print_failures
from analyzer.cli.ladder import Ladder
from analyzer.cli.live_board import Board, Row
from analyzer.cli.output import Output
from analyzer.cli.stream_view import MARKS
from analyzer.cli.table import pad
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text
from analyzer.text.handshake_steps import Step, camel
from analyzer.text.language import Sentences, say
from analyzer.text.punctuation import beside, labelled
from analyzer.tls.events import Alert, HandshakeMessage
from analyzer.tls.session_log import ROLES

_REFRESH = 0.5

_KINDS: Sentences = {
    "application_data": "application data",
    "change_cipher_spec": "change cipher spec",
    "encrypted_handshake": "encrypted handshake",
}
"""Kinds of records, in words."""

MOST_GROUPS = 50
"""Groups of failures that are shown. More fill no page that is read."""

_DATA_STYLES = ("cyan", "yellow")


class PageOutput(Output):
    """The stream of results, as text of a page."""

    def __init__(self, width: int) -> None:
        super().__init__(os.devnull, (), "always")
        self.width = width
        self.fitted = True
        self._buffer = io.BytesIO()
        self._stream = self._buffer

    def text(self) -> Text:
        """Return what was written. Its only escape sequences are the colours of this program."""
        return Text.from_ansi(self._buffer.getvalue().decode())


class _Page(Screen[None]):
    """A page that scrolls. Subclasses override `content`."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,backspace", "app.pop_screen", say("Back"))]

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        """See `Screen.compose`."""
        yield Static(Text(self._title, "bold"), markup=False)
        with VerticalScroll():
            yield Static(id="content", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Show the content, and keep it up to date."""
        self.refresh_content()
        self.set_interval(_REFRESH, self.refresh_content)

    def refresh_content(self) -> None:
        """Show the content if it has changed."""
        text = self.content()
        if text is not None:
            self.query_one("#content", Static).update(text)

    def content(self) -> Text | None:
        """Return the content; None if it is as it was."""
        return None


class LadderPage(_Page):
    """The handshake of a session as a ladder. While the session is open: what happened so far, one line a step."""

    def __init__(self, row: Row, board: Board) -> None:
        super().__init__(_title(row))
        self._row = row
        self._board = board
        self._shown = -1
        self._whole = False

    def content(self) -> Text | None:
        """See `_Page.content`."""
        if self._whole:
            return None
        with self._board.lock:  # the run may forget both at any time
            session, steps = self._row.session, self._row.steps
            taken = [] if steps is None else list(steps.steps)
        if steps is None:
            return Text(say("the ladder of this session is no longer held: it ended too long ago, or is too large"))
        if session is not None:
            self._whole = True
            output = PageOutput(max(60, self.app.size.width - 4))
            Ladder(output, session, False).print(steps.rungs(session))
            return output.text()
        if len(taken) == self._shown:
            return None
        self._shown = len(taken)
        return steps_text(taken)


class FollowPage(_Page):
    """The decrypted data of a session: the last of it, as it comes."""

    def __init__(self, row: Row, board: Board) -> None:
        super().__init__(labelled(_title(row), say("data")))
        self._row = row
        self._board = board
        self._shown = (-1, b"")

    def content(self) -> Text | None:
        """See `_Page.content`."""
        with self._board.lock:
            pieces = list(self._row.data)
        state = (len(pieces), pieces[-1][1] if pieces else b"")
        if state == self._shown:
            return None
        self._shown = state
        return data_text(pieces)


class FailuresPage(_Page):
    """The failures so far, by cause and server, those that occur most first."""

    def __init__(self, board: Board) -> None:
        super().__init__(say("failures by cause"))
        self._board = board
        self._shown = -1

    def content(self) -> Text | None:
        """See `_Page.content`."""
        with self._board.lock:
            if self._board.failures.count == self._shown:
                return None
            self._shown = self._board.failures.count
            output = PageOutput(max(60, self.app.size.width - 4))
            print_failures(self._board.failures, output, MOST_GROUPS)
        return output.text()


def _title(row: Row) -> str:
    return labelled(say("session {n}", n=row.number), f"{row.client} > {row.server} {row.name}")


def steps_text(steps: Sequence[Step]) -> Text:
    """Return the steps of a session that is still open."""
    text = Text()
    for step in steps:
        mark = "─▶" if step.side == 0 else "◀─"
        if isinstance(step.item, HandshakeMessage):
            what = beside(camel(step.item.name), count_text(step.item.length, "byte"))
        elif isinstance(step.item, Alert):
            what = say("Alert")
        else:
            what = beside(_kind_text(step.kind), count_text(sum(step.count), "record"))
        text.append(
            f"{step.frame:>8}  {pad(say(ROLES[step.side]), 6)} {mark} {harmless(what)}\n", ("cyan", "magenta")[step.side]
        )
    text.append(say("the session is still open"), "dim")
    return text


def _kind_text(kind: str) -> str:
    return say(_KINDS[kind]) if kind in _KINDS else kind.replace("_", " ")


def data_text(pieces: list[tuple[int, bytes]]) -> Text:
    """Return data as lines with a mark of who sent them, as `analyzer follow` does. What is no text is escaped."""
    text = Text()
    for role, data in pieces:
        for line in data.decode("utf-8", "backslashreplace").split("\n"):
            text.append(MARKS[role] + harmless(line.rstrip("\r")) + "\n", _DATA_STYLES[role])
    if not pieces:
        text.append(say("nothing was decrypted, or nothing was sent yet"), "dim")
    return text
