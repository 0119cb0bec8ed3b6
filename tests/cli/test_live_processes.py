"""The processes of sessions, while they are sniffed: a real client and server, and what is asked again."""

import os
import pwd
import subprocess
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conversations import Tap, packetise, talk
from live_tls import CLIENT, Sessions, client, require_capture, sniff, tls_server

from analyzer.capture.processes import connection_witness, process_search
from analyzer.capture.processes.process_identity import Process
from analyzer.cli.live_keys import LiveKeys
from analyzer.cli.live_processes import MOST_AT_ONCE, LiveProcesses
from analyzer.cli.live_rows import row_text
from analyzer.cli.rows import owner_text
from analyzer.flows.flow import TCP, Flow
from analyzer.store.session_record import session_record
from analyzer.text.session_csv import CSV_COLUMNS, csv_line
from analyzer.tls.events import Event, SessionBegan

NO_KEYS = Namespace(keylog=[], rsa_key=[], psk_file=[], password_file=[])


@pytest.fixture(autouse=True)
def longest_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are waited for on a busy machine too."""
    monkeypatch.setattr(connection_witness, "_WAIT", 10.0)
    monkeypatch.setattr(process_search, "LONGEST_SEARCH", 5.0)


def opened() -> LiveProcesses:
    processes = LiveProcesses.open()
    if processes is None:
        pytest.skip("this system cannot say whose a connection is")
    return processes


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_record_names_the_client(address: str):
    require_capture()
    sessions, processes = Sessions(), opened()
    started: list[int] = []

    def start() -> None:
        with client(port, address=address) as process:
            started.append(process.pid)

    with tls_server(address) as port:
        sniff(port, LiveKeys(NO_KEYS), [processes, sessions], lambda: bool(sessions.ended), start)
    (record,) = [session_record(session, False) for session in sessions.ended]
    assert record["process"]["pid"] == started[0]
    assert record["process"]["user"] == pwd.getpwuid(os.geteuid()).pw_name
    assert record["process"]["container"] is None
    assert record["process"]["name"].startswith("python")
    assert (processes.asked, processes.found) == (1, 1)


def test_short_clients_are_named_too():
    """On a busy machine, the process that watches may be too late for most of them."""
    require_capture()
    sessions, processes = Sessions(), opened()
    pids: list[int] = []

    def start() -> None:
        for _ in range(10):
            command = [sys.executable, "-c", CLIENT, "127.0.0.1", str(port), ""]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
                pids.append(process.pid)

    with tls_server() as port:
        sniff(port, LiveKeys(NO_KEYS), [processes, sessions], lambda: len(sessions.ended) >= 10, start)
    found = [session.flow.process.pid for session in sessions.ended if session.flow.process is not None]
    assert len(sessions.ended) == 10
    assert set(found) - {None} <= set(pids)
    assert set(found) - {None}


class Later:
    """Finds a process when it is asked for the third time."""

    def __init__(self, first: Process | None) -> None:
        self.answers: list[Process | None] = [first, first, Process("late", 7)]
        self.asked: list[bytes] = []

    def find_all(self, keys: Sequence[bytes]) -> list[Process | None]:
        self.asked += keys
        return [self.answers.pop(0) if self.answers else None for _ in keys]

    def close(self) -> None:
        self.answers = []


def began(number: int) -> tuple[Flow, SessionBegan]:
    flow = Flow(TCP, bytes(8) + b"\0\1\0\2", 1, 0)
    event = SessionBegan(flow)
    event.session = number
    return flow, event


def test_a_socket_without_a_process_is_asked_for_again():
    finder = Later(Process(user="alice"))
    processes = LiveProcesses(finder)
    flow, event = began(0)
    turns: Sequence[Sequence[Event]] = ([event], [], [], [])
    seen = []
    for turn in turns:
        processes.take(turn)
        seen.append(flow.process)
    assert seen == [Process(user="alice"), Process(user="alice"), Process("late", 7), Process("late", 7)]
    assert len(finder.asked) == 3


def test_a_connection_of_others_is_asked_for_once():
    finder = Later(None)
    processes = LiveProcesses(finder)
    flow, event = began(0)
    for turn in ([event], [], []):
        processes.take(turn)
    assert flow.process is None
    assert len(finder.asked) == 1


def test_the_questions_of_a_turn_are_bounded():
    finder = Later(None)
    processes = LiveProcesses(finder)
    processes.take([began(number)[1] for number in range(2 * MOST_AT_ONCE)])
    assert len(finder.asked) == MOST_AT_ONCE
    assert processes.asked == 2 * MOST_AT_ONCE


def test_new_sessions_are_asked_for_before_waiting_ones():
    finder = Later(Process(user="alice"))
    finder.answers = [Process(user="alice")] * 2 * MOST_AT_ONCE
    processes = LiveProcesses(finder)
    processes.take([began(number)[1] for number in range(MOST_AT_ONCE)])
    late, event = began(MOST_AT_ONCE)
    late.process = None
    processes.take([event])
    assert late.process == Process(user="alice")
    assert len(finder.asked) == 2 * MOST_AT_ONCE


def test_nothing_is_asked_for_a_packet():
    finder = Later(None)
    processes = LiveProcesses(finder)
    tap = Tap(detailed=True)
    for segment in packetise(talk()):
        tap.feed(segment)
        processes.take(tap.take())
    tap.close()
    assert len(finder.asked) == 1


def test_an_engine_that_announces_says_when_a_session_begins():
    tap = Tap()
    tap.engine.dispatcher.announces = True
    tap.feed(*packetise(talk()))
    tap.close()
    assert [(type(event).__name__, event.session) for event in tap.events] == [("SessionBegan", 0), ("SessionEnded", 0)]


@pytest.mark.parametrize(
    ("process", "text"),
    [
        (None, ""),
        (Process("curl", 4711, "alice"), "curl[4711] alice"),
        (Process("curl", 4711, "alice", "3f" * 32), "curl[4711] alice in 3f3f3f3f3f3f"),
        (Process(user="alice"), "alice"),
        (Process(pid=7), "[7]"),
        (Process("a\x1b[2J\u202eb", 7), "a\\x1b[2J\\u202eb[7]"),
    ],
)
def test_a_process_as_text(process: Process | None, text: str):
    assert owner_text(None if process is None else process.record()) == text


def test_a_process_in_a_line_of_a_live_run():
    tap = Tap()
    tap.feed(*packetise(talk()))
    (session,) = tap.close()
    session.flow.process = Process("curl", 4711, "alice", "3f" * 32)
    assert ", curl[4711] alice in 3f3f3f3f3f3f, " in row_text(session_record(session, False))


def test_a_process_in_csv(tmp_path: Path):
    tap = Tap()
    tap.feed(*packetise(talk()))
    (session,) = tap.close()
    session.flow.process = Process("=cmd\x1b", 7, "alice", "web")
    record: dict[str, Any] = session_record(session, False)
    assert csv_line(CSV_COLUMNS, record).endswith(b",'=cmd\\x1b,7,alice,web,,\r\n")
