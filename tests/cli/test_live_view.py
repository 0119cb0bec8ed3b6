"""The full-screen view, driven by keystrokes over real captures."""

import asyncio
import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path

import pytest
from hierarchy import HOST
from live_network import Network
from live_traffic import fetch, make_site, openssl_server
from textual.pilot import Pilot
from textual.widgets import Input, Static

from analyzer.capture.frame import Frame
from analyzer.capture.live.live_capture import LiveCapture
from analyzer.capture.live.pipe_capture import PipeCapture
from analyzer.capture.packet_reader import PacketReader
from analyzer.cli import live_board
from analyzer.cli.arguments import parse
from analyzer.cli.live_board import Board, Row
from analyzer.cli.live_keys import LiveKeys
from analyzer.cli.live_pages import FailuresPage, FollowPage, LadderPage
from analyzer.cli.live_run import Limits, LiveRun, LiveSource
from analyzer.cli.live_view import LiveView
from analyzer.cli.summary import Summary
from analyzer.cli.trust_options import read_chains
from analyzer.engine import Engine, Listener
from analyzer.engine import run as run_engine
from analyzer.tls.session import Session

from .conftest import client_hello, pcap, tcp

SIZE = (150, 36)
WAIT = 30.0


def view_of(source: LiveSource, title: str, *words: str) -> LiveView:
    options = parse(["live", "lo", *words])
    chains, keys = read_chains(options), LiveKeys(options)
    engine = Engine(detailed=True, places=False, announces=True, **keys.arguments)
    clock = [None] if isinstance(source, PipeCapture) else []
    live_run = LiveRun(source, engine, keys, Limits(), print, *clock)
    summary = Summary(engine.material, chains)
    live_run.n_bytes = lambda: summary.traffic.n_bytes
    return LiveView(live_run, [chains, summary], chains, title)


def drive(view: LiveView, steps: Callable[[Pilot[None]], Awaitable[None]]) -> None:
    """Run the view, and the steps of a test in it."""

    async def run() -> None:
        async with view.run_test(size=SIZE) as pilot:
            await steps(pilot)

    try:
        asyncio.run(run())
    finally:
        view.finish()


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        await pilot.pause(0.05)


def rows(view: LiveView) -> list[list[str]]:
    table = view.table
    return [[cell.plain for cell in table.get_row(key)] for key in [row.key for row in table.ordered_rows]]


def content(view: LiveView, name: str) -> str:
    return str(view.screen.query_one(name, Static).content)


@pytest.fixture
def demo_view(demo: Path, repository: Path) -> LiveView:
    return view_of(PipeCapture(str(demo)), "demo [red]title[/red]", "--trust", str(repository / "captures/demo/demo.ca.pem"))


def test_sessions_are_rows(demo_view: LiveView):
    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(rows(demo_view)) == 8 and all(row[6] != "open" for row in rows(demo_view)))
        found = {row[0]: row[4:9] for row in rows(demo_view)}
        assert found["0"] == ["www.shop.example", "TLS 1.3", "closed", "valid", "yes"]
        assert found["5"] == ["old.example", "TLS 1.2", "certificate_expired", "expired", ""]
        await until(pilot, lambda: "8 ended" in content(demo_view, "#rates"))
        assert "213 packets" in content(demo_view, "#rates")
        assert "unknown by the kernel, unknown by the interface, 0 by the own queue" in content(demo_view, "#rates")
        assert "[red]title[/red]" in content(demo_view, "#rates")
        await until(pilot, lambda: "session 6: fatal_alert: server gave up: handshake_failure" in content(demo_view, "#found"))

    drive(demo_view, steps)


def test_words_filter_and_keys_sort(demo_view: LiveView):
    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(rows(demo_view)) == 8)
        await pilot.press("slash", *"TLS", "space", *"bank", "enter")
        await until(pilot, lambda: [row[4] for row in rows(demo_view)] == ["www.bank.example"] * 2)
        assert "filter: tls bank" in content(demo_view, "#rates")
        await pilot.press("escape")
        await until(pilot, lambda: len(rows(demo_view)) == 8)
        await pilot.press("s", "s", "s", "s")
        names = [row[4] for row in rows(demo_view)]
        assert names == sorted(names)
        assert "sorted by server name" in content(demo_view, "#rates")

    drive(demo_view, steps)


def test_the_ladder_and_the_data_of_a_session(demo_view: LiveView):
    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(rows(demo_view)) == 8 and all(row[6] != "open" for row in rows(demo_view)))
        demo_view.table.move_cursor(row=0)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(demo_view.screen, LadderPage) and "ClientHello" in content(demo_view, "#content"))
        text = content(demo_view, "#content")
        assert "server name" in text
        assert "www.shop.example" in text
        assert "Finished" in text
        await pilot.press("escape", "f")
        await until(
            pilot, lambda: isinstance(demo_view.screen, FollowPage) and "> GET / HTTP/1.1" in content(demo_view, "#content")
        )
        assert "< HTTP/1.1 200" in content(demo_view, "#content")
        await pilot.press("escape")
        await until(pilot, lambda: len(demo_view.screen_stack) == 1)

    drive(demo_view, steps)


def test_failures_by_cause(demo_view: LiveView):
    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(rows(demo_view)) == 8 and all(row[6] != "open" for row in rows(demo_view)))
        await until(pilot, lambda: "2 connections failed" in content(demo_view, "#rates"))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(demo_view.screen, FailuresPage) and "session 5" in content(demo_view, "#content"))
        text = content(demo_view, "#content")
        assert "certificate expired (ended by the client)" in text
        assert "old.example" in text

    drive(demo_view, steps)


def test_the_records_that_are_shown_are_saved(demo_view: LiveView, tmp_path: Path):
    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(rows(demo_view)) == 8 and all(row[6] != "open" for row in rows(demo_view)))
        await pilot.press("slash", *"bank", "enter", "w")
        demo_view.query_one("#words", Input).value = str(tmp_path / "saved.jsonl")
        await pilot.press("enter")
        await until(pilot, lambda: (tmp_path / "saved.jsonl").exists())

    drive(demo_view, steps)
    records = [json.loads(line) for line in (tmp_path / "saved.jsonl").read_bytes().splitlines()]
    assert [record["server_name"] for record in records] == ["www.bank.example"] * 2


def test_a_paused_view_stands_still_and_the_capture_goes_on(demo: Path, tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = demo.read_bytes()
    go_on = threading.Event()

    def write() -> None:
        with pipe.open("wb") as file:
            file.write(data[:20_000])
            file.flush()
            go_on.wait(WAIT)
            file.write(data[20_000:])

    writer = threading.Thread(target=write)
    writer.start()
    view = view_of(PipeCapture(str(pipe)), "pipe")

    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(rows(view)) > 0 and view.board.n_open + view.board.n_ended < 8)
        await until(pilot, lambda: any(row[4].endswith(".example") and row[6] == "open" for row in rows(view)))
        await pilot.press("p")
        before = rows(view)
        go_on.set()
        await until(pilot, lambda: view.board.n_ended == 8)
        await pilot.pause(0.6)
        assert rows(view) == before
        assert "paused" in content(view, "#rates")
        await pilot.press("p")
        await until(pilot, lambda: len(rows(view)) == 8)

    try:
        drive(view, steps)
    finally:
        go_on.set()
        writer.join()


@pytest.mark.peer("openssl")
def test_an_interface_while_traffic_goes_on(network: Network, tmp_path: Path):
    site, keys = make_site(tmp_path), tmp_path / "keys.log"
    with openssl_server(site) as port:
        capture = LiveCapture(["lo"])
        capture.open()
        view = view_of(capture, "lo", "-k", str(keys), "--trust", str(site.root))

        async def steps(pilot: Pilot[None]) -> None:
            for number in range(3):
                await pilot.pause(0.1)
                fetch(site, port, keys)
                await until(pilot, lambda number=number: [row[8] for row in rows(view)] == ["yes"] * (number + 1))  # type: ignore[misc]
            assert {row[4] for row in rows(view)} == {HOST}
            assert {row[7] for row in rows(view)} == {"valid"}
            await until(
                pilot, lambda: "dropped: 0 by the kernel, 0 by the interface, 0 by the own queue" in content(view, "#rates")
            )
            await pilot.press("q")

        drive(view, steps)
        capture.close()
    assert not view.capture.is_alive()


def test_text_of_a_sender_is_neither_markup_nor_control(tmp_path: Path):
    name = b"[red]a[/red]\x1b[2J"
    (tmp_path / "hostile.pcap").write_bytes(pcap(tcp(client_hello(name))))
    view = view_of(PipeCapture(str(tmp_path / "hostile.pcap")), "\x1b[31m hostile")

    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: [row[4] for row in rows(view)] == ["[red]a[/red]\\x1b[2J"])
        await until(pilot, lambda: "\\x1b[31m hostile" in content(view, "#rates"))
        await pilot.press("enter")
        await until(pilot, lambda: "[red]a[/red]\\x1b[2J" in content(view, "#content"))

    drive(view, steps)


def test_rows_ladders_and_data_have_limits(demo: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live_board, "MAX_ROWS", 5)
    monkeypatch.setattr(live_board, "MAX_LADDERS", 2)
    monkeypatch.setattr(live_board, "MAX_DATA", 100)
    view = view_of(PipeCapture(str(demo)), "demo")

    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: view.board.n_ended == 8)
        await until(pilot, lambda: len(rows(view)) == 5)
        assert sum(row.session is not None for row in view.board.rows.values()) == 2
        assert [row for row in view.board.rows.values() if row.n_data > 100 and len(row.data) > 1] == []
        view.table.move_cursor(row=0)
        await pilot.press("enter")
        await until(pilot, lambda: "no longer held" in content(view, "#content"))

    drive(view, steps)


class Pieces:
    """A capture in turns of a thousand bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def packet_readers(self) -> Generator[PacketReader, None, None]:
        reader = PacketReader(Frame())
        for at in range(0, len(self._data), 1000):
            reader.feed(self._data[at : at + 1000])
            yield reader


class Table(Listener):
    """Asks the board for its changes in each turn, as the view does, but not while it is paused."""

    def __init__(self, board: Board) -> None:
        self.numbers: set[int] = set()
        self.paused = False
        self._board = board

    def end_turn(self) -> None:
        if not self.paused:
            changed, removed = self._board.changes()
            assert removed <= self.numbers
            self.numbers = self.numbers - removed | {row.number for row in changed}


@pytest.mark.parametrize("paused", [False, True])
def test_only_the_removal_of_what_was_shown_is_remembered(demo: Path, monkeypatch: pytest.MonkeyPatch, paused: bool):
    monkeypatch.setattr(live_board, "MAX_ROWS", 3)
    board = Board(read_chains(parse(["live", "lo"])))
    table = Table(board)
    table.paused = paused
    run_engine(Pieces(demo.read_bytes()), Engine(detailed=True), [board, table])
    changed, removed = board.changes()
    if paused:
        assert ([row.number for row in changed], removed) == ([5, 6, 7], set())
    else:
        assert table.numbers == {5, 6, 7}


@pytest.mark.parametrize(("one", "all_"), [(20_000, 1 << 30), (1 << 30, 100_000)])
def test_ladders_and_records_are_limited_by_their_bytes(demo: Path, monkeypatch: pytest.MonkeyPatch, one: int, all_: int):
    monkeypatch.setattr(live_board, "MAX_HELD", one)
    monkeypatch.setattr(live_board, "MAX_ALL_HELD", all_)
    board = Board(read_chains(parse(["live", "lo"])))
    held = []

    class Counting(Listener):
        def end_turn(self) -> None:
            held.append(sum(row.n_held for row in board.rows.values()))
            assert all(row.n_held >= len(row.line) for row in board.rows.values())
            assert all(row.n_held <= one for row in board.rows.values())

    run_engine(Pieces(demo.read_bytes()), Engine(detailed=True), [board, Counting()])
    assert 0 < max(held) <= all_
    ladders = [row.number for row in board.rows.values() if row.session is not None]
    assert 0 < len(ladders) < len(board.rows) == 8
    if all_ < one:
        assert ladders[-1] == 7  # the last ones
        assert ladders == [row.number for row in board.rows.values() if row.line]


def test_a_ladder_that_is_forgotten_while_it_is_drawn(demo: Path, monkeypatch: pytest.MonkeyPatch):
    """The run forgets the ladder between two reads of the row, as it may at any moment."""
    view = view_of(PipeCapture(str(demo)), "demo")

    class Forgetting(Row):
        """A row whose ladder is forgotten as soon as somebody has read its session."""

        @property
        def session(self) -> Session | None:  # type: ignore[override]
            found = self.__dict__.get("found")
            if not view.board.lock.locked():
                self.__dict__["found"] = self.steps = None
            return found

        @session.setter
        def session(self, session: Session | None) -> None:
            self.__dict__["found"] = session

    monkeypatch.setattr(live_board, "Row", Forgetting)

    async def steps(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(rows(view)) == 8 and all(row[6] != "open" for row in rows(view)))
        view.table.move_cursor(row=0)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(view.screen, LadderPage) and "ClientHello" in content(view, "#content"))

    drive(view, steps)


def in_a_terminal(script: str, repository: Path) -> tuple[int, bytes]:
    """Run a script of Python in a terminal. Return its status, and what stands there after the view."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(repository)
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-c", script])
    drawn = b""
    with contextlib.suppress(OSError):  # EIO: nobody has the terminal open any more
        while data := os.read(terminal, 1 << 16):
            drawn += data
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), drawn.rpartition(b"\x1b[?1049l")[2]


def test_all_notes_stand_there_when_the_view_is_left(demo: Path, repository: Path):
    script = f"""
import sys
from analyzer.cli import live_view
from analyzer.cli.main import main

def notice(view):
    for number in range(5):
        view.board.note(f"note {{number}}")
    view.set_timer(0.5, view.exit)

live_view.LiveView.on_ready = notice
sys.exit(main(["live", {str(demo)!r}]))
"""
    status, left = in_a_terminal(script, repository)
    assert status == 0, left
    assert re.findall(rb"analyzer: note (\d)", left) == [b"0", b"1", b"2", b"3", b"4"]
    assert b"TLS sessions" in left


def test_a_view_that_fails_is_no_success(demo: Path, repository: Path):
    script = f"""
import sys
from analyzer.cli import live_view
from analyzer.cli.main import main

live_view.cells = None  # an error in the view itself
sys.exit(main(["live", {str(demo)!r}]))
"""
    status, left = in_a_terminal(script, repository)
    assert status == 2, left
    assert b"analyzer: the view failed" in left


@pytest.mark.parametrize("leave", [b"q", b"\x03", signal.SIGTERM], ids=["q", "Ctrl-C", "SIGTERM"])
def test_a_terminal_gets_the_view_and_then_the_summary(network: Network, repository: Path, leave: bytes | signal.Signals):
    """The whole command in a terminal: what it draws, and what stands there when the view is left."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(repository)
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-m", "analyzer", "live", "lo"])
    drawn = b""

    def read(wanted: bytes) -> None:
        nonlocal drawn
        end = time.monotonic() + WAIT
        while wanted not in drawn:
            ready, _, _ = select.select([terminal], [], [], end - time.monotonic())
            assert ready, drawn[-2000:]
            drawn += os.read(terminal, 1 << 16)

    try:
        read(b"0 sessions open")
        assert b"\x1b[?1049h" in drawn  # the alternate screen of the terminal
        if isinstance(leave, bytes):
            os.write(terminal, leave)
        else:
            os.kill(process, leave)
        read(b"\x1b[?1049l")
        read(b"TLS sessions")
        read(b"none found")
        assert b"by the own queue" in drawn.rpartition(b"\x1b[?1049l")[2]
        _, status = os.waitpid(process, 0)
        assert status == 0
    finally:
        os.close(terminal)


@pytest.mark.parametrize("missing", ["input", "errors"])
def test_without_a_terminal_for_keys_or_for_the_screen_there_are_rows(demo: Path, repository: Path, missing: str):
    """`tcpdump -w - | analyzer live -` in a terminal: the pipe has packets and no keys. `2>FILE` gets no screen."""
    controller, terminal = pty.openpty()
    if missing == "input":
        words, streams = ["-"], {"stdin": demo.open("rb"), "stderr": terminal}
    else:
        words, streams = [str(demo)], {"stdin": terminal, "stderr": subprocess.PIPE}
    words = [sys.executable, "-m", "analyzer", "live", *words]
    with subprocess.Popen(words, cwd=repository, stdout=terminal, **streams) as process:  # type: ignore[call-overload]
        os.close(terminal)
        drawn = b""
        with contextlib.suppress(OSError):  # EIO: nobody has the terminal open any more
            while data := os.read(controller, 1 << 16):
                drawn += data
        if process.stderr is not None:
            drawn += process.stderr.read()
    os.close(controller)
    assert process.returncode == 0, drawn
    assert b"\x1b[?1049h" not in drawn
    assert drawn.count(b"established (") == 8
    assert b"TLS sessions" in drawn
