"""The first signal ends the input of every command, and its results come; a finished session of a quiet pipe comes at once."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from analyzer.cli.interruption import Interruption, exceptions

from .conftest import Run, placeless

STARTED = 60.0
"""Seconds within which a process has started, on a busy machine."""


@contextmanager
def reading(repository: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command whose standard input stays open."""
    command = [sys.executable, "-m", "analyzer", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=repository
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def has_read(process: subprocess.Popen[bytes]) -> None:
    """Wait until the process has emptied the pipe, and handles signals."""
    assert process.stdin is not None
    process.stdin.flush()
    status = Path(f"/proc/{process.pid}/status")
    until = time.monotonic() + STARTED
    while not int(status.read_text().partition("SigCgt:")[2].split()[0], 16) & 1 << (signal.SIGTERM - 1):
        assert time.monotonic() < until
        time.sleep(0.02)
    time.sleep(0.6)


COMMANDS = [
    (["sessions", "-", "--format", "json"], b'"server_name":"www.shop.example"'),
    (["sessions", "-", "--format", "csv"], b"www.shop.example"),
    (["sessions", "-"], b"www.shop.example"),
    (["summary", "-"], b"www.shop.example"),
    (["certificates", "-"], b"www.shop.example"),
    (["keys", "-"], b"www.shop.example"),
    (["packets", "-"], b"192.0.2.53"),
    (["packet", "-", "4"], b"Frame 4: 42 bytes"),
    (["show", "-", "0"], b"ClientHello"),
]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("arguments", "expected"), COMMANDS, ids=[" ".join(arguments) for arguments, _ in COMMANDS])
def test_the_results_come_after_a_signal(
    arguments: list[str], expected: bytes, number: signal.Signals, demo: Path, repository: Path
):
    with reading(repository, *arguments) as process:
        assert process.stdin is not None
        process.stdin.write(demo.read_bytes())
        if arguments[0] == "packet":  # it ends when it has its packet
            process.stdin.flush()
        else:
            has_read(process)
            process.send_signal(number)
        out, err = process.communicate(timeout=STARTED)
    assert expected in out
    assert (process.returncode, err) == (0, b"")


def test_a_record_that_is_cut_by_the_signal_is_no_damage(demo: Path, repository: Path):
    with reading(repository, "sessions", "-", "--format", "json") as process:
        assert process.stdin is not None
        process.stdin.write(demo.read_bytes()[:-10])
        has_read(process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=STARTED)
    assert len(out.splitlines()) == 8
    assert (process.returncode, err) == (0, b"")


def test_the_second_signal_stops_at_once():
    code = (
        "import os, signal, time\n"
        "from analyzer.cli.interruption import Interruption\n"
        "with Interruption(lambda: print('stopped', flush=True)):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "print('went on')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGTERM, "stopped\n"), done.stderr


@pytest.mark.parametrize("before", ["SIG_DFL", "SIG_IGN", "default_int_handler"])
def test_both_signals_at_once(before: str):
    """The second one does what it did before, whatever the first one was, and without a word of Python's."""
    code = (
        "import os, signal\n"
        "from analyzer.cli.interruption import SIGNALS, Interruption\n"
        f"signal.signal(signal.SIGTERM, signal.{before})\n"
        "try:\n"
        "    with Interruption(lambda: print('stopped', flush=True)):\n"
        "        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)\n"
        "        for number in SIGNALS:\n"
        "            os.kill(os.getpid(), number)\n"
        "        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)\n"
        "    print('went on')\n"
        "except KeyboardInterrupt:\n"
        "    print('raised')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    expected = {"SIG_DFL": (-signal.SIGTERM, ""), "SIG_IGN": (0, "went on\n"), "default_int_handler": (0, "raised\n")}[before]
    assert (done.returncode, done.stdout, done.stderr) == (expected[0], "stopped\n" + expected[1], "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_would_end_the_program_can_be_an_exception(number: signal.Signals):
    """The handlers are those with which a program starts; in the background, tests begin with SIGINT ignored."""
    before = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
    own = signal.signal(number, before)
    try:
        with exceptions(), pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        assert signal.getsignal(number) == before
    finally:
        signal.signal(number, own)


def test_handlers_are_as_before_when_no_signal_came():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Interruption(lambda: None):
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] != before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_file_that_was_not_read_to_its_end(repository: Path, demo: Path, tmp_path: Path):
    """A signal while a large file is read: status 1, and the place where reading stopped."""
    data = demo.read_bytes()
    path = tmp_path / "large.pcapng"
    with path.open("wb") as file:
        for _ in range(3000):
            file.write(data)
    with reading(repository, "sessions", str(path), "--format", "json", "-j", "1") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=STARTED)
    assert process.returncode == 1
    assert b"stopped after frame" in err


def test_a_finished_session_of_a_quiet_pipe_comes_within_a_second(repository: Path, demo: Path):
    """The fastest of several counts: a busy machine delays some."""
    delays = []
    while min(delays, default=1.5) >= 1.5 and len(delays) < 10:  # the session is known after 0.7 s; the rest is reading it
        with reading(repository, "sessions", "-", "--format", "json") as process:
            assert process.stdin is not None
            assert process.stdout is not None
            has_read(process)  # the first wait is for the start of the process
            process.stdin.write(demo.read_bytes())
            process.stdin.flush()
            began = time.monotonic()
            lines = b""
            while lines.count(b"\n") < 8:
                ready, _, _ = select.select([process.stdout], [], [], STARTED)
                assert ready, f"{lines.count(10)} sessions after {STARTED} s"
                lines += os.read(process.stdout.fileno(), 1 << 20)
            delays.append(time.monotonic() - began)
        names = [json.loads(line)["server_name"] for line in lines.splitlines()]
        assert names.count("www.shop.example") == 2
    assert min(delays) < 1.5, delays


@pytest.mark.parametrize("words", [["-o", "DIR"], ["--plaintext", "DIR/plain.pcapng"]], ids=" ".join)
def test_an_export_is_complete_as_far_as_the_pipe_came(
    words: list[str], demo: Path, repository: Path, tmp_path: Path, run: Run
):
    piped, whole = tmp_path / "piped", tmp_path / "whole"
    piped.mkdir()
    whole.mkdir()
    with reading(repository, "export", "-", *[word.replace("DIR", str(piped)) for word in words]) as process:
        assert process.stdin is not None
        process.stdin.write(demo.read_bytes())
        has_read(process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=STARTED)
    assert process.returncode == 0, err
    assert run("export", demo, *[word.replace("DIR", str(whole)) for word in words]).status == 0
    found, wanted = (
        {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (piped, whole)
    )
    if "manifest.json" in wanted:
        assert [json.loads(one["manifest.json"])["ended"] for one in (found, wanted)] == ["interrupted", "end"]
        assert placeless(found.pop("manifest.json")) == placeless(wanted.pop("manifest.json"))
    assert found == wanted
    assert found
