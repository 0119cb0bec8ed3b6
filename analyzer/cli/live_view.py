"""The full-screen view of `analyzer live` on a terminal: the rates and drops above, the sessions, the last findings below.

The run has its own thread, so that a slow terminal loses no packets; the view looks at its `Board` four times a second. All
text that came from packets is harmless (`escape`), and is shown as it is: nothing in it is taken for markup.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Footer, Input, Static

from analyzer.cli.interruption import Interruption
from analyzer.cli.live_board import Board, Row
from analyzer.cli.live_pages import FailuresPage, FollowPage, LadderPage
from analyzer.cli.live_run import LiveRun
from analyzer.cli.live_summary import drop_text
from analyzer.cli.output import CommandError, complain
from analyzer.cli.table import cut, pad
from analyzer.engine import Listener
from analyzer.engine import run as run_engine
from analyzer.store.chain_verdicts import Chains
from analyzer.store.private_file import PrivateFile
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, size_text
from analyzer.text.language import noted, retold, say
from analyzer.text.punctuation import labelled

COLUMNS = (
    (noted("id"), 7),
    (noted("time"), 12),
    (noted("client"), 21),
    (noted("server"), 21),
    (noted("server name"), 24),
    (noted("version"), 8),
    (noted("ended"), 20),
    (noted("verdict"), 16),
    (noted("decrypted"), 9),
    (noted("findings"), 30),
    (noted("process"), 18),
)
"""Titles, and the most columns of the terminal that a cell takes."""

SHOWN_FINDINGS = 4
"""Lines of findings."""

SHOWN_NOTES = 2
"""Lines of notes. All of them come when the view is left."""

_REFRESH = 0.25

_REST = 6
"""How many times as long as it takes to show changes nothing is shown then, at least."""

_STYLES = {"high": "bold red", "medium": "yellow", "low": "cyan", "info": "dim"}


Shown = Callable[[Listener], Listener]
"""Puts something before a listener that passes on to it what is to be shown."""


def watch(
    live_run: LiveRun, listeners: Sequence[Listener], chains: Chains, title: str, n_frames: int | None, shown: Shown
) -> None:
    """Show a run until the user leaves the view or a signal comes; then the run ends. All notes stand on the terminal then.

    What the run raised is raised here. Raises CommandError if the view itself failed; textual has said why.
    """
    app = LiveView(live_run, listeners, chains, title, n_frames, shown)
    with Interruption(app.leave):
        app.run()
    try:
        app.finish()
        live_run.report_notes()
    finally:
        for note in app.board.notes:
            complain(note)
    if app.return_code:
        raise CommandError("the view failed, so the run ended")


class CaptureThread(threading.Thread):
    """Runs the engine. error: what it raised."""

    def __init__(self, live_run: LiveRun, listeners: Sequence[Listener], n_frames: int | None) -> None:
        super().__init__(name="capture", daemon=True)
        self.error: BaseException | None = None
        self._live_run = live_run
        self._listeners = listeners
        self._n_frames = n_frames

    def run(self) -> None:
        """See `Thread.run`."""
        try:
            run_engine(self._live_run, self._live_run.engine, self._listeners, self._n_frames)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the main thread
            self.error = error


class Sessions(DataTable[Text]):
    """The table of sessions."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", say("Ladder"))]


class LiveView(App[None]):
    """The view. board: what it shows."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #rates { height: 2; padding: 0 1; background: $panel; }
    #sessions { height: 1fr; }
    #found { height: auto; max-height: 6; padding: 0 1; background: $panel; }
    #words { display: none; height: 3; }
    #words.asked { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p,space", "pause", say("Pause")),
        Binding("s", "sort", say("Sort")),
        Binding("slash", "filter", say("Filter"), key_display="/"),
        Binding("f", "follow", say("Follow data")),
        Binding("c", "causes", say("Failures")),
        Binding("w", "save", say("Save")),
        Binding("q,ctrl+c", "leave", say("Quit"), priority=False),
        Binding("escape", "clear", say("Clear filter"), show=False),
    ]

    def __init__(
        self,
        live_run: LiveRun,
        listeners: Sequence[Listener],
        chains: Chains,
        title: str,
        n_frames: int | None = None,
        shown: Shown = lambda board: board,
    ) -> None:
        """shown: returns what gives the board only what is to be shown."""
        super().__init__()
        self.board = Board(chains)
        self._live_run = live_run
        self._what = harmless(title)
        live_run.reports[0] = self.board.note
        self.capture = CaptureThread(live_run, [*listeners, shown(self.board)], n_frames)
        self._meter = Meter(live_run)
        self._paused = False
        self._sorted = 0
        self._words: tuple[str, ...] = ()
        self._asked = ""
        self._rest_until = 0.0

    def compose(self) -> ComposeResult:
        """See `App.compose`."""
        yield Static(id="rates", markup=False)
        yield Sessions(id="sessions", cursor_type="row", zebra_stripes=True)
        yield Static(id="found", markup=False)
        yield Input(id="words")
        yield Footer()

    def on_mount(self) -> None:
        """Start the run."""
        self.begin_capture_print(self)
        table = self.table
        for title, _ in COLUMNS:
            table.add_column(say(title), key=title)
        table.focus()
        self.capture.start()
        self.set_interval(_REFRESH, self._refresh_calmly)

    def on_print(self, event: events.Print) -> None:
        """Show what the run would have written to standard error as a note."""
        if event.text.strip():
            self.board.note(event.text.strip().removeprefix("analyzer: "))

    @property
    def table(self) -> Sessions:
        """The table of sessions."""
        return self.screen_stack[0].query_one("#sessions", Sessions)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what concerns the table only where the table is."""
        of_the_table = ("pause", "sort", "filter", "follow", "causes", "save", "clear")
        return not (len(self.screen_stack) > 1 and action in of_the_table)

    def finish(self) -> None:
        """End the run, and wait until its results are complete. Raise what it raised."""
        self._live_run.source.stop()
        if self.capture.ident is not None:
            self.capture.join()
        if self.capture.error is not None:
            raise self.capture.error

    def leave(self) -> None:
        """Leave the view. A signal may call this."""
        self.exit()

    def action_leave(self) -> None:
        """Quit."""
        self.exit()

    def show_changes(self) -> None:
        """Show what has changed, unless the view is paused."""
        if not self.screen_stack or not self.screen_stack[0].query("#rates"):
            return  # the view is being closed
        main = self.screen_stack[0]
        state = noted("paused" if self._paused else "running" if self.capture.is_alive() else "ended")
        main.query_one("#rates", Static).update(self._meter.text(self._what, state, self.board, self._filter_text()))
        if not self._paused:
            self._apply(*self.board.changes())
            main.query_one("#found", Static).update(self._found())

    def _refresh_calmly(self) -> None:
        """Show what has changed, unless that takes more than a share of the time: the run shares the interpreter with it."""
        began = time.monotonic()
        if began >= self._rest_until:
            self.show_changes()
            self._rest_until = began + _REST * (time.monotonic() - began)

    def action_pause(self) -> None:
        """Freeze the view, or go on. The capture goes on in any case."""
        self._paused = not self._paused
        self.show_changes()

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._sorted = (self._sorted + 1) % len(COLUMNS)
        self._sort()
        self.show_changes()

    def action_filter(self) -> None:
        """Ask for words: only sessions with all of them are shown."""
        self._ask(
            noted("filter"), " ".join(self._words), say("words that a session must have: names, addresses, versions, findings")
        )

    def action_save(self) -> None:
        """Ask for a file, for the records of the sessions that are shown and have ended."""
        self._ask(
            noted("save"),
            time.strftime("analyzer-live-%Y%m%dT%H%M%S.jsonl"),
            say("file for the records that are shown (JSON lines)"),
        )

    def action_clear(self) -> None:
        """Leave the line, or show all sessions again."""
        if self._asked:
            self._answered()
        elif self._words:
            self._words = ()
            self._rebuild()

    def action_follow(self) -> None:
        """Show the data of the session at the cursor, as it comes."""
        row = self._chosen()
        if row is not None:
            self.push_screen(FollowPage(row, self.board))

    def action_causes(self) -> None:
        """Show the failures by cause."""
        self.push_screen(FailuresPage(self.board))

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open the ladder of the session at the cursor."""
        row = self._chosen()
        if row is not None:
            self.push_screen(LadderPage(row, self.board))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the answer."""
        asked, answer = self._asked, event.value.strip()
        self._answered()
        if asked == "filter":
            self._words = tuple(answer.lower().split())
            self._rebuild()
        elif answer:
            self._save(answer)

    def _ask(self, what: str, answer: str, placeholder: str) -> None:
        self._asked = what
        line = self.query_one("#words", Input)
        line.placeholder = placeholder
        line.value = answer
        line.border_title = say(what)
        line.add_class("asked")
        line.focus()

    def _answered(self) -> None:
        self._asked = ""
        self.query_one("#words", Input).remove_class("asked")
        self.table.focus()

    def _save(self, path: str) -> None:
        with self.board.lock:
            ended = [row.line for row in self.board.rows.values() if row.state != "open" and self._matches(row)]
        lines = [line for line in ended if line]
        try:
            with PrivateFile(path) as file:
                file.writelines(lines)
        except OSError as error:
            self.notify(labelled(harmless(path), retold(str(error.strerror))), severity="error", markup=False)
            return
        forgotten = say("; {n} are no longer held", n=len(ended) - len(lines)) if len(ended) > len(lines) else ""
        saved = say("{n} records in {path}", n=len(lines), path=harmless(path))
        self.notify(saved + forgotten, markup=False)

    def _chosen(self) -> Row | None:
        table = self.table
        if not table.row_count:
            return None
        key = table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value
        return None if key is None else self.board.rows.get(int(key))

    def _matches(self, row: Row) -> bool:
        return all(word in row.text or word in row.findings for word in self._words)

    def _apply(self, changed: Sequence[Row], removed: set[int]) -> None:
        table = self.table
        at_end = table.cursor_row >= table.row_count - 1
        for number in removed:
            if str(number) in table.rows:
                table.remove_row(str(number))
        for row in changed:
            key = str(row.number)
            if key in table.rows:
                for (title, _), cell in zip(COLUMNS, cells(row), strict=True):
                    table.update_cell(key, title, cell, update_width=True)
            elif self._matches(row):
                table.add_row(*cells(row), key=key)
        if changed and self._sorted:
            self._sort()
        elif changed and at_end and not self._sorted:
            table.move_cursor(row=table.row_count - 1)

    def _sort(self) -> None:
        title = COLUMNS[self._sorted][0]
        if title == "id":
            self.table.sort(title, key=lambda cell: int(cell.plain))
        else:
            self.table.sort(title, key=lambda cell: (not cell.plain, cell.plain.lower()))

    def _rebuild(self) -> None:
        """Fill the table again: another filter."""
        self.table.clear()
        self._apply(self.board.changes(everything=True)[0], set())
        self.show_changes()

    def _filter_text(self) -> str:
        parts = [say("filter: {words}", words=harmless(" ".join(self._words)))] if self._words else []
        parts += [say("sorted by {column}", column=say(COLUMNS[self._sorted][0]))] if self._sorted else []
        return " · ".join(parts)

    def _found(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        found = list(self.board.found)[-SHOWN_FINDINGS:]
        shown = [(f"{pad(say(severity), 6)}  {line}", _STYLES[severity]) for severity, line in found]
        shown += [(f"{pad(say('note'), 6)}  {line}", "magenta") for line in list(self.board.notes)[-SHOWN_NOTES:]]
        for number, (line, style) in enumerate(shown or [(say("no findings yet"), "dim")]):
            text.append(("\n" if number else "") + line, style)
        return text


class Meter:
    """Measures the rates of a run, over the last second or so."""

    def __init__(self, live_run: LiveRun) -> None:
        self._live_run = live_run
        self._last = (time.monotonic(), 0, 0)
        self._rates = (0.0, 0.0)

    def text(self, what: str, state: str, board: Board, further: str) -> Text:
        """Return two lines: the rates and sessions, and what was dropped where."""
        now, frames, n_bytes = time.monotonic(), self._live_run.engine.frames, self._live_run.n_bytes()
        then, frames_then, bytes_then = self._last
        if now - then >= 1:
            self._rates = ((frames - frames_then) / (now - then), (n_bytes - bytes_then) / (now - then))
            self._last = (now, frames, n_bytes)
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(what, "bold")
        text.append(f"  {say(state)}", "yellow" if state == "paused" else "green" if state == "running" else "dim")
        rates = say(
            "{n:,.0f} packets/s   {size}/s   {all:,} packets", n=self._rates[0], size=size_text(int(self._rates[1])), all=frames
        )
        sessions = say("{sessions} open, {n:,} ended", sessions=count_text(board.n_open, "session"), n=board.n_ended)
        text.append(f"   {rates}   {sessions}")
        if board.failures.count:
            text.append("   " + say("{connections} failed", connections=count_text(board.failures.count, "connection")), "red")
        text.append("\n")
        drops = dropped(self._live_run)
        text.append(say("dropped: "), "dim")
        for number, (place, count) in enumerate(drops):
            text.append((say(", ") if number else "") + drop_text(count, place), "bold red" if count else "dim")
        if further:
            text.append(f"   {further}", "cyan")
        return text


def dropped(live_run: LiveRun) -> list[tuple[str, int | None]]:
    """Return how many packets were dropped by the kernel, the interfaces, and the own queue; None if nobody says."""
    statistics = live_run.source.statistics()
    places = (
        ("kernel", [one.dropped_by_kernel for one in statistics]),
        ("interface", [one.dropped_by_interface for one in statistics]),
        ("own queue", [one.dropped_by_queue for one in statistics]),
    )
    sums = []
    for place, counts in places:
        known = [count for count in counts if count is not None]
        sums.append((place, sum(known) if known else None))
    return sums


def cells(row: Row) -> list[Text]:
    """Return the cells of `COLUMNS` for a session."""
    texts = (
        str(row.number), row.time[:12], row.client, row.server, row.name, row.version, say(row.state), row.verdict,
        row.decryption, row.findings, row.process,
    )  # fmt: skip
    style = _STYLES.get(row.severity, "")
    styles = {
        "ended": "dim" if row.state == "open" else "red" if row.state not in (say("closed"), say("reset")) else "",
        "findings": style,
    }
    styles["verdict"] = "green" if row.verdict == say("valid") else "red" if row.verdict not in ("", say("unknown")) else ""
    styles["decrypted"] = "green" if row.decryption == say("yes") else ""
    return [
        Text(cut(text, room), styles.get(title, ""), no_wrap=True) for text, (title, room) in zip(texts, COLUMNS, strict=True)
    ]
