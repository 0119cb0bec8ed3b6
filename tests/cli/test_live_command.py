"""The command mode: the private key log, which sessions are the command's, its user, and its end."""

import json
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conversations import Tap, contexts, packetise, talk
from hierarchy import HOST
from live_network import Network
from live_tls import CLIENT, Sessions, require_capture, sniff, tls_server
from live_traffic import WAIT, live, make_site, openssl_server

from analyzer.capture.processes import connection_witness, process_search
from analyzer.capture.processes.process_identity import Process
from analyzer.cli import live_chosen
from analyzer.cli.live_command import LINGER, LiveCommand, OwnSessions, caller
from analyzer.cli.live_keys import LiveKeys
from analyzer.cli.live_processes import LiveProcesses
from analyzer.cli.output import CommandError
from analyzer.store.session_record import session_record
from analyzer.tls.events import Data, SessionEnded

NO_KEYS = Namespace(keylog=[], rsa_key=[], psk_file=[], password_file=[])


@pytest.fixture(autouse=True)
def longest_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers about processes are waited for on a busy machine too."""
    monkeypatch.setattr(connection_witness, "_WAIT", 10.0)
    monkeypatch.setattr(process_search, "LONGEST_SEARCH", 5.0)


def wait_for(condition: Callable[[], bool], seconds: float = WAIT) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def asking(port: int, keys: str = "os.environ['SSLKEYLOGFILE']") -> list[str]:
    """A command that asks for /hello once."""
    script = f"import os, sys; sys.argv = ['', '127.0.0.1', '{port}', {keys}]\n{CLIENT}"
    return [sys.executable, "-c", script]


class Ran:
    """A command that was sniffed to its end."""

    def __init__(self, port: int, words: list[str], beside: Callable[[], None] = lambda: None) -> None:
        command = LiveCommand(words)
        self.key_log = Path(command.key_log)
        keys = LiveKeys(NO_KEYS, command.key_log)
        processes = LiveProcesses.open()
        assert processes is not None
        sessions = Sessions()
        self.own = OwnSessions(command, keys.arguments["keylog"], [sessions])

        def start() -> None:
            command.start()
            beside()

        try:
            sniff(port, keys, [processes, self.own], command.ended, start)
            self.outcome = command.outcome()
        finally:
            command.close()
        self.records: list[dict[str, Any]] = [session_record(session, False) for session in sessions.ended]


# The file.


def test_the_key_log_is_private_and_is_removed():
    command = LiveCommand(["true"])
    log = Path(command.key_log)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700
    assert os.listdir(log.parent) == [log.name]
    command.close()
    assert not log.parent.exists()
    command.close()


def test_a_command_that_is_not_there():
    for words in (["analyzer-no-such-command"], []):
        with pytest.raises(CommandError):
            LiveCommand(words)


def test_a_file_that_cannot_be_run(tmp_path: Path):
    script = tmp_path / "script"
    script.write_bytes(b"\0\0\0\0")
    script.chmod(0o700)
    command = LiveCommand([str(script)])
    with pytest.raises(CommandError):
        command.start()
    command.close()
    assert not Path(command.key_log).exists()


# The end.


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        (["sh", "-c", "exit 7"], "sh: ended with status 7"),
        (["sh", "-c", "kill -TERM $$"], "sh: ended by SIGTERM"),
        (["true"], "true: ended with status 0"),
    ],
)
def test_how_a_command_ends_is_told(words: list[str], outcome: str):
    command = LiveCommand(words)
    assert not command.ended()
    command.start()
    begun = time.monotonic()
    wait_for(command.ended)
    assert time.monotonic() - begun >= LINGER
    assert command.outcome() == outcome
    command.close()


def test_a_command_that_does_not_end_is_ended():
    command = LiveCommand(["sleep", "1000"])
    command.start()
    assert command.outcome() == "sleep: still running"
    assert not command.ended()
    command.close()
    assert command.outcome() == f"sleep: ended by {signal.SIGTERM.name}"


def test_a_command_that_has_become_another_user_is_left_running(
    network: Network, require_peers: Callable[..., None], open_folder: Path
):
    """The analyzer has no rights any more; all the same it says its results, and the key log is removed.

    The run ends with the first packet, which is sent when the command runs.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can start a command as somebody else")
    require_peers("setpriv")
    require_capture()
    words = ["setpriv", "--reuid=65534", "--clear-groups", sys.executable, "-c", f"{TELL} time.sleep(1000)"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        send = partial(sender.sendto, b"the end", sender.getsockname())
        ended = analyzer_live(open_folder, "-a", "packets:1", "--", *words, then=send)
    assert Path(f"/proc/{ended.pid}").exists()
    os.kill(int(ended.pid), signal.SIGKILL)
    assert ended.status == 0, ended.said
    assert f"setpriv: not ended, process {ended.pid} is another user's: Operation not permitted" in ended.said
    assert not Path(ended.key_log).parent.exists()


def test_orphans_that_have_ended_are_waited_for(tmp_path: Path):
    """Each of them reads a pipe of its own, and ends with it."""
    pipes = [tmp_path / name for name in ("first", "second", "command")]
    for pipe in pipes:
        os.mkfifo(pipe)
    first, second, last = pipes
    command = LiveCommand(["sh", "-c", f"(cat {first} &); (cat {second} &); exec cat {last}"])
    before = children()
    command.start()
    writers = [pipe.open("wb") for pipe in pipes]
    wait_for(lambda: len(children() - before) == 3)
    for writer, left in zip(writers, (2, 1, 0), strict=True):
        assert not command.ended()
        assert len(children() - before) == left + 1
        writer.close()
        wait_for(lambda left=left: command.ended() or len(children() - before) == left)  # type: ignore[misc]
    wait_for(command.ended)
    assert children() == before
    assert command.outcome() == "sh: ended with status 0"
    command.close()


def children() -> set[int]:
    """The processes of which this one is the parent, zombies too."""
    return {int(pid) for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()}


@pytest.mark.parametrize("words", [["--format", "json"], ["--events"], []])
def test_lines_are_not_mixed_with_what_the_command_writes(words: list[str], open_folder: Path):
    require_capture()
    ended = analyzer_live(open_folder, *words, "--", sys.executable, "-c", f"{TELL} print('written', end=' ')")
    assert ended.status == 0
    assert ended.results == ("" if words else "written ")
    assert ("written" in ended.said) == bool(words)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_key_log_is_removed_after_a_signal_at_any_time(number: signal.Signals, open_folder: Path):
    """Signals from the first moment of the command on, so that one comes before the capture runs, and others later."""
    require_capture()
    signals = f"[(time.sleep(0.01), os.kill(os.getppid(), {number})) for _ in range(200)]"
    ended = analyzer_live(open_folder, "--", sys.executable, "-c", f"{TELL} {signals}")
    assert ended.status in (0, 130), ended.said  # on a busy machine the run may have ended before the second signal
    assert not Path(ended.key_log).parent.exists()
    assert not Path(f"/proc/{ended.pid}").exists()


@pytest.mark.peer("curl", "openssl")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("stubborn", [False, True])
def test_a_signal_ends_the_run_and_the_command(network: Network, tmp_path: Path, number: signal.Signals, stubborn: bool):
    """The signal goes to the analyzer alone. The results so far have come, and the command is ended and waited for."""
    site = make_site(tmp_path)
    with openssl_server(site) as port:
        options = f"--cacert {site.root} --resolve {HOST}:{port}:127.0.0.1"
        curl = f"curl -s {options} -o {tmp_path}/page https://{HOST}:{port}/mine"
        ignoring = "trap '' TERM;" if stubborn else ""
        script = f"{ignoring} {curl}; echo $$ > {tmp_path}/pid; exec sleep 1000"
        with live("lo", "--format", "json", "--", "sh", "-c", script) as run:
            record = run.record()
            wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().endswith("\n"))
            pid = int((tmp_path / "pid").read_text())
            assert Path(f"/proc/{pid}").exists()
            status, rest, err = run.stop(number)
    assert record["decryption"]["status"] == "decrypted"
    assert [one["request"]["path"] for one in record["http"]] == ["/mine"]
    assert (status, rest) == (0, b"")
    assert f"sh: ended by {'SIGKILL' if stubborn else 'SIGTERM'}" in err
    assert "TLS sessions  1: 1 established" in err
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_command_with_a_session_that_goes_on(network: Network, tmp_path: Path, number: signal.Signals):
    """It is shown as far as it came, and decrypted."""
    with tls_server() as port:
        words = [*asking(port)[:2], asking(port)[2].replace("recv(1000)", "recv(1000); import time; time.sleep(1000)")]
        with live("lo", "--events", "--", *words) as run:
            while run.record()["event"] != "data":
                pass
            status, rest, err = run.stop(number)
    last = json.loads(rest.splitlines()[-1])
    assert (status, last["event"], last["closed"]) == (0, "session_ended", "end")
    assert last["record"]["decryption"]["status"] == "decrypted"
    assert [one["request"]["path"] for one in last["record"]["http"]] == ["/hello"]
    assert f"{words[0]}: ended by SIGTERM" in err


def analyzer_live(folder: Path, *words: str, then: Callable[[], object] | None = None) -> "Ended":
    """Run `analyzer live` with a command that begins with TELL. then: is called until the run has ended, when that was told."""
    told = folder / "told"
    told.touch()
    told.chmod(0o666)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUDO_")} | {"TOLD": str(told)}
    command = [sys.executable, "-m", "analyzer", "live", "lo", *words]
    said, results = folder / "said", folder / "results"  # a command that is left running keeps them open
    with (
        said.open("wb") as err,
        results.open("wb") as out,
        subprocess.Popen(command, env=environment, stdout=out, stderr=err) as run,
    ):
        try:
            if then is not None:
                wait_for(lambda: told.read_text().endswith("\n"))
                wait_for(lambda: (then(), run.poll())[1] is not None)
            status = run.wait(60)
        finally:
            run.kill()
    return Ended(status, results.read_text(), said.read_text(), *told.read_text().split())


class Ended(NamedTuple):
    """A run of `analyzer live` with a command that begins with TELL."""

    status: int
    results: str
    said: str
    pid: str
    key_log: str


TELL = "import os, time; print(os.getpid(), os.environ['SSLKEYLOGFILE'], file=open(os.environ['TOLD'], 'w'), flush=True);"
"""Begins a command of Python that writes its number and the path of its key log into the file TOLD."""


def test_the_command_runs_as_who_called_sudo(monkeypatch: pytest.MonkeyPatch, open_folder: Path):
    if os.geteuid() != 0:
        pytest.skip("only root can start a command as somebody else")
    somebody = pwd.getpwnam("nobody")
    monkeypatch.setenv("SUDO_UID", str(somebody.pw_uid))
    told = open_folder / "told"
    script = f'id -u > {told}; echo "$HOME" >> {told}; echo "# key" >> "$SSLKEYLOGFILE"; id -G >> {told}'
    command = LiveCommand(["sh", "-c", script])
    command.start()
    wait_for(command.ended)
    assert command.outcome() == "sh: ended with status 0"
    assert Path(command.key_log).read_text() == "# key\n"
    uid, home, groups = told.read_text().splitlines()
    assert (int(uid), home) == (somebody.pw_uid, somebody.pw_dir)
    assert "0" not in groups.split()
    command.close()


def test_who_called(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SUDO_UID", raising=False)
    assert caller() is None
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_UID", "no number")
    assert caller() is None
    monkeypatch.setenv("SUDO_UID", "3999999999")
    with pytest.raises(CommandError, match="no such user"):
        caller()


# Which sessions are the command's.


def test_a_session_of_the_command_is_decrypted_and_others_are_not_shown():
    require_capture()
    with tls_server() as port:

        def beside() -> None:
            """Another client: this process itself, which is no descendant of itself."""
            with socket.create_connection(("127.0.0.1", port)) as plain, contexts()[0].wrap_socket(plain) as other:
                other.sendall(b"GET /other HTTP/1.1\r\nHost: example.test\r\n\r\n")
                assert other.recv(1000)

        ran = Ran(port, asking(port), beside)
    assert [record["decryption"]["status"] for record in ran.records] == ["decrypted"]
    assert ran.records[0]["http"][0]["request"]["path"] == "/hello"
    assert (ran.own.others, ran.own.unknown) == (1, 0)
    assert ran.own.left_out() == "not shown: 1 session that no secret or process shows to be the command's"
    assert ran.outcome.endswith("ended with status 0")
    assert not ran.key_log.exists()


def test_descendants_and_orphans_of_the_command_are_its_own(tmp_path: Path):
    """A child of a shell, and a grandchild whose parent has ended: neither logs its secrets. Each makes a file at its end."""
    require_capture()
    with tls_server() as port:
        words = asking(port, "''")
        words[2] = words[2].replace("recv(1000)", "recv(1000); import time; time.sleep(1)")
        words[2] += f"\nopen(os.path.join({str(tmp_path)!r}, str(os.getpid())), 'w')"
        script = f'"$@"; ("$@" &); until [ "$(ls {tmp_path} | wc -l)" = 2 ]; do sleep 0.05; done'
        ran = Ran(port, ["sh", "-c", script, "sh", *words])
    assert [record["decryption"]["status"] for record in ran.records] == ["none", "none"]
    assert all(record["process"]["pid"] for record in ran.records)


def test_short_runs_of_curl(require_peers: Callable[..., None]):
    """Short runs of curl, all of which are known by the secrets that they log."""
    require_peers("curl")
    require_capture()
    with tls_server() as port:
        words = ["sh", "-c", f"for i in 1 2 3 4 5; do curl -sk https://127.0.0.1:{port}/hello; done"]
        ran = Ran(port, words)
    assert [record["decryption"]["status"] for record in ran.records] == ["decrypted"] * 5
    assert {record["http"][0]["request"]["path"] for record in ran.records} == {"/hello"}


class Nothing(Sessions):
    """Counts what comes."""

    n_events = 0

    def take(self, events: Any) -> None:
        """See `Listener.take`."""
        self.n_events += len(events)
        super().take(events)


@pytest.mark.parametrize("own", [True, False])
def test_what_is_held_is_passed_on_whole_or_not_at_all(own: bool):
    """The process of a session is known only at its end here, so everything has to wait."""
    command = LiveCommand(["sleep", "5"])
    command.start()
    tap, seen = Tap(detailed=True), Nothing()
    passing = OwnSessions(command, None, [seen])
    for segment in packetise(talk()):
        tap.feed(segment)
        passing.take(tap.take())
    assert seen.n_events == 0
    tap.engine.close()
    events = tap.take()
    for event in events:
        if hasattr(event, "ended"):
            event.ended.flow.process = Process("sleep", 1, ancestors=(os.getpid() if own else 1,))
    passing.take(events)
    assert seen.n_events == (len(tap.events) if own else 0)
    assert (passing.others, passing.unknown) == (0 if own else 1, 0)
    assert passing._held == {}
    command.close()


def test_what_is_held_is_limited_by_its_bytes(monkeypatch: pytest.MonkeyPatch):
    """A session of an unknown process has more data than there is room for. A note says so, and the room comes back."""
    monkeypatch.setattr(live_chosen, "MOST_HELD", 50_000)
    command = LiveCommand(["sleep", "5"])
    command.start()
    tap, seen = Tap(detailed=True), Nothing()
    passing = OwnSessions(command, None, [seen])
    for segment in packetise(talk()):
        tap.feed(segment)
    events = tap.take()
    passing.take(events)
    assert passing.notes == []
    for _ in range(10):
        data = Data(bytes(20_000), 0, 1, tap.at)
        data.session = 0
        passing.take([data])
    assert len(passing.notes) == 1
    tap.engine.close()
    ending = tap.take()
    for event in ending:
        if isinstance(event, SessionEnded):
            event.ended.flow.process = Process("sleep", 1, ancestors=(os.getpid(),))
    passing.take(ending)
    assert len(events) < seen.n_events < len(events) + 10
    assert (passing.others, passing._n_held) == (0, 0)
    command.close()
