"""The process that watches: what it knows of connections that are gone, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_tls import require_capture
from stuck_tshark import has_ended, wait_for

from analyzer.capture.processes import connection_witness, process_search
from analyzer.capture.processes.connection_attempts import MOST_AT_ONCE, ConnectionAttempts
from analyzer.capture.processes.connection_witness import ConnectionWitness, answer_of, process_of
from analyzer.capture.processes.process_identity import Process

from .test_socket_diagnostics import key_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sock_diag is an interface of Linux")


@pytest.fixture
def witness(monkeypatch: pytest.MonkeyPatch) -> Iterator[ConnectionWitness]:
    """A witness that is waited for on a busy machine too, and that may search as long as it needs there."""
    monkeypatch.setattr(connection_witness, "_WAIT", 10.0)
    monkeypatch.setattr(connection_witness, "_PAYS", 0.0)
    monkeypatch.setattr(process_search, "LONGEST_SEARCH", 5.0)
    watching = ConnectionWitness()
    yield watching
    watching.close()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_a_connection_that_lives(witness: ConnectionWitness, listening: socket.socket):
    with socket.create_connection(listening.getsockname()) as client:
        found = witness.find(key_of(client))
        assert found is not None
        assert found.pid == os.getpid()
        assert os.getppid() in found.ancestors
    assert witness.find(bytes(12)) is None
    assert witness.find(b"no key") is None


def test_many_connections_at_once(witness: ConnectionWitness, listening: socket.socket):
    with socket.create_connection(listening.getsockname()) as client:
        keys = [key_of(client), bytes(12)] * 150
        found = witness.find_all(keys)
    assert [process is not None and process.pid == os.getpid() for process in found] == [True, False] * 150
    assert witness.find_all([]) == []


SHORT = """
import socket, sys, time
client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
time.sleep(0.02)
print(client.getsockname()[1])
"""
"""Connects, and ends as soon as curl would."""


def test_connections_that_are_gone(witness: ConnectionWitness, listening: socket.socket):
    """On a busy machine, the child may be too late for most of them."""
    require_capture()
    here = listening.getsockname()[1]
    loopback = socket.inet_aton("127.0.0.1")
    found, n_clients = None, 0
    while (found is None or found.pid is None) and n_clients < 30:
        n_clients += 1
        with subprocess.Popen([sys.executable, "-c", SHORT, str(here)], stdout=subprocess.PIPE) as client:
            port = int(client.communicate(timeout=60)[0])
        assert not Path(f"/proc/{client.pid}").exists()
        found = witness.find(loopback + loopback + port.to_bytes(2, "big") + here.to_bytes(2, "big"))
        assert found is None or found.pid in (None, client.pid)
    assert found is not None
    assert found.pid is not None


def test_a_child_that_cannot_drop_its_rights_is_an_error():
    with pytest.raises(OSError, match="could not begin"):
        ConnectionWitness("no-such-user")


def test_after_the_end_of_the_child_nothing_is_known(witness: ConnectionWitness, listening: socket.socket):
    os.kill(witness.pid, signal.SIGKILL)
    with socket.create_connection(listening.getsockname()) as client:
        assert witness.find(key_of(client)) is None
        assert witness.find(key_of(client)) is None


@pytest.mark.parametrize("caller", [{}, {"SUDO_UID": "65534", "SUDO_GID": "65534"}])
def test_the_child_ends_with_its_parent(repository: Path, caller: dict[str, str]):
    script = (
        "import os, signal\n"
        "from analyzer.capture.processes.connection_witness import ConnectionWitness\n"
        "print(ConnectionWitness().pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = os.environ | caller | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, cwd=repository, env=environment)
    assert done.returncode == -signal.SIGKILL
    assert wait_for(lambda: has_ended(int(done.stdout)))


UNPRIVILEGED = """
import ctypes, json, os, pwd, socket, subprocess, sys
from encodings import idna
from analyzer.capture.live.privileges import drop
from analyzer.capture.processes import connection_witness, process_search
from analyzer.capture.processes.connection_witness import ConnectionWitness

connection_witness._WAIT = 10.0
process_search.LONGEST_SEARCH = 5.0
listening = socket.create_server(("127.0.0.1", 0))
here = listening.getsockname()
end, stay = os.pipe()
child = os.fork()
if child == 0:
    os.close(stay)
    os.setresgid(1234, 1234, 1234)
    os.setresuid(1234, 1234, 1234)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
    client = socket.socket()
    client.connect(here)
    os.read(end, 1)
    os._exit(0)
accepted, there = listening.accept()
witness = ConnectionWitness()
drop()
loopback = socket.inet_aton("127.0.0.1")
found = witness.find(loopback + loopback + there[1].to_bytes(2, "big") + here[1].to_bytes(2, "big"))
status = {line.partition(":")[0]: line.partition(":")[2].strip() for line in open(f"/proc/{witness.pid}/status")}
print(json.dumps([child, found and found.pid, found and found.user, status]))
"""
"""Gives up its rights, and then asks for a connection of another user. PR_SET_DUMPABLE gives /proc/PID/fd to that user."""

READ_AND_TRACE = f"{1 << 2 | 1 << 19:016x}"
"""CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE, as in /proc/PID/status."""


@pytest.mark.parametrize(("caller", "ids"), [({}, "0"), ({"SUDO_UID": "65534", "SUDO_GID": "65534"}, "65534")])
def test_the_child_keeps_two_capabilities_and_finds_what_only_they_can_find(repository: Path, caller: dict[str, str], ids: str):
    if os.geteuid() != 0:
        pytest.skip("only root has rights to drop")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUDO_")} | caller
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED], capture_output=True, cwd=repository, env=environment, timeout=60
    )
    child, found, user, status = json.loads(done.stdout or "[0, 0, 0, {}]")
    assert (found, user) == (child, "1234"), done.stderr
    assert status["Uid"].split() == status["Gid"].split() == [ids] * 4
    assert status["NoNewPrivs"] == "1"
    assert {name: status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {
        "CapInh": "0" * 16,
        "CapPrm": READ_AND_TRACE,
        "CapEff": READ_AND_TRACE,
        "CapBnd": "0" * 16,
        "CapAmb": "0" * 16,
    }


def test_a_child_that_does_not_answer_is_not_waited_for_again(
    witness: ConnectionWitness, listening: socket.socket, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(connection_witness, "_WAIT", 1.0)
    monkeypatch.setattr(connection_witness, "_PAUSE", 60.0)
    os.kill(witness.pid, signal.SIGSTOP)
    try:
        with socket.create_connection(listening.getsockname()) as client:
            began = time.monotonic()
            for _ in range(50):
                assert witness.find(key_of(client)) is None
            assert time.monotonic() - began < 25
    finally:
        os.kill(witness.pid, signal.SIGCONT)


def test_late_answers_are_not_taken_for_those_of_later_questions(
    witness: ConnectionWitness, listening: socket.socket, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(connection_witness, "_PAUSE", 0.0)
    monkeypatch.setattr(connection_witness, "_WAIT", 0.1)
    with socket.create_connection(listening.getsockname()) as client:
        os.kill(witness.pid, signal.SIGSTOP)
        assert witness.find_all([bytes(12), bytes(36)]) == [None, None]
        os.kill(witness.pid, signal.SIGCONT)
        monkeypatch.setattr(connection_witness, "_WAIT", 10.0)
        found = witness.find_all([key_of(client), bytes(12)])
        assert found[0] is not None
        assert found[0].pid == os.getpid()
        assert found[1] is None


@pytest.mark.parametrize("process", [None, Process(), Process("curl\x1b", 7, "alice", "3f", (3, 2, 1))])
def test_an_answer(process: Process | None):
    found = process_of(answer_of(process))
    assert found == process
    assert process is None or (found is not None and found.ancestors == process.ancestors)


class Attempts(ConnectionAttempts):
    """Four new connections in each turn."""

    def __init__(self, ready: socket.socket) -> None:
        self.socket = ready
        self.n_taken = 0

    def take(self) -> list[bytes]:
        self.n_taken += 4
        return [number.to_bytes(12, "big") for number in range(self.n_taken - 4, self.n_taken)]


class Busy:
    """Finds only the user of each connection. at, used: a clock, and the time that the searches have taken."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.n_asked = 0
        self.at, self.used = 1000.0, 0.0

    def find(self, key: bytes) -> Process | None:
        self.n_asked += 1
        self.at += self.seconds
        self.used += self.seconds
        return Process(user="alice")


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield ours, theirs


def test_what_is_looked_for_again_is_bounded(pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection_witness, "_PAYS", 0)
    monkeypatch.setattr(connection_witness, "_AGAIN", 0.0)
    ready, other = socket.socketpair()
    with ready, other:
        other.send(b"new")
        finder = Busy()
        watch = connection_witness.Watch(pair[1], finder, Attempts(ready))
        for _ in range(500):
            before = finder.n_asked
            assert watch.turn()
            assert finder.n_asked - before <= MOST_AT_ONCE + 4
    assert len(watch.known) == 2000


@pytest.mark.parametrize("n_witnesses", [1, 4])
def test_questions_take_a_fifth_of_a_processor_too(
    pair: tuple[socket.socket, socket.socket], n_witnesses: int, monkeypatch: pytest.MonkeyPatch
):
    """Each search takes two milliseconds, and between ten questions one goes by."""
    ours, theirs = pair
    finder = Busy(0.002)
    monkeypatch.setattr(connection_witness, "monotonic", lambda: finder.at)
    monkeypatch.setattr(connection_witness, "process_time", lambda: finder.used)
    watch = connection_witness.Watch(theirs, finder, None, n_witnesses)
    began, n_answers = finder.at, 0
    while finder.at - began < 10:
        for number in range(10):
            ours.send(number.to_bytes(12, "big"))
        assert watch.turn()
        n_answers += sum(len(ours.recv(4096)) > 0 for _ in range(10))
        finder.at += 0.001
    assert n_answers > finder.n_asked
    credit = connection_witness._CREDIT / connection_witness._PAYS / n_witnesses
    most = (credit + (finder.at - began) / 5 / n_witnesses) / finder.seconds
    assert most - 2 <= finder.n_asked <= most + 2


def test_questions_that_have_come_are_answered_in_one_turn(pair: tuple[socket.socket, socket.socket]):
    for number in range(32):
        pair[0].send(number.to_bytes(12, "big"))
    watch = connection_witness.Watch(pair[1], Busy(), None)
    assert watch.turn()
    assert [process_of(pair[0].recv(4096, socket.MSG_DONTWAIT)) for _ in range(32)] == [Process(user="alice")] * 32


def test_a_child_with_nothing_to_do_sleeps(witness: ConnectionWitness, listening: socket.socket):
    with socket.create_connection(listening.getsockname()) as client:
        assert witness.find(key_of(client)) is not None

    def used() -> int:
        """Return the time that the child has worked, in hundredths of a second."""
        fields = Path(f"/proc/{witness.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    time.sleep(0.3)
    before = used()
    time.sleep(0.5)
    assert used() - before <= 5
