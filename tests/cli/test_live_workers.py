"""Several processes that share the packets: their interfaces, their rights, what they say, and their ends."""

import contextlib
import os
import pty
import select
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from live_network import Network
from live_traffic import HOST, ROOT, WAIT, Site, fetch, live, make_site, openssl_server
from stuck_tshark import has_ended

from analyzer.cli.page import TIMES

from .conftest import Run

CALLER = os.environ | {"SUDO_UID": "65534", "SUDO_GID": "65534"}
"""The environment of a run through sudo."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path)


def descendants(pid: int) -> list[int]:
    """The children of a process, and theirs, and so on."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            for child in map(int, task.read_text().split()):
                found += [child, *descendants(child)]
    return found


def wait_for_end(pids: list[int]) -> None:
    """Wait until none of the processes is there any more."""
    until = time.monotonic() + WAIT
    while left := [pid for pid in pids if not has_ended(pid)]:
        assert time.monotonic() < until, left
        time.sleep(0.05)


def status_of(pid: int, name: str) -> str:
    """A field of /proc/PID/status."""
    return Path(f"/proc/{pid}/status").read_text().partition(f"{name}:\t")[2].partition("\n")[0]


def wait_for_user(pid: int, user: int) -> None:
    """Wait until a process is another user: then all workers are ready."""
    until = time.monotonic() + WAIT
    while status_of(pid, "Uid").split()[0] != str(user):
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.peer("openssl")
def test_several_interfaces_and_each_has_a_group(network: Network, site: Site):
    """A group of sockets has one interface: packet(7)."""
    with openssl_server(site) as port, live("-i", network.far, "-i", "lo", "-j", "2", "--format", "json") as running:
        running.wait_for_workers(2)
        for _ in range(4):
            fetch(site, port)
            assert running.record()["established"]
        status, _, err = running.stop()
    assert status == 0
    assert "4 TLS sessions; by process: " in err
    assert f"{network.far}: 0 packets received" in err


def test_an_interface_that_is_down_cannot_be_shared(network: Network, run: Run):
    network.ip("link", "set", network.far, "down")
    done = run("live", network.far, "-j", "2")
    assert done.status == 2
    assert done.complaint == f"analyzer: {network.far}: it is down, and several processes (-j) can share only what is up"


@pytest.mark.parametrize("through_sudo", [True, False])
def test_all_end_with_the_parent(network: Network, through_sudo: bool):
    """A worker that becomes another user forgets that it has to end with its parent: prctl(2)."""
    environment = CALLER if through_sudo else dict(os.environ)
    with live("lo", "-j", "2", "--format", "json", env=environment) as running:
        running.wait_for_workers(2)
        time.sleep(0.5)
        if through_sudo:
            wait_for_user(running.process.pid, 65534)
        children = descendants(running.process.pid)
        assert len(children) >= 2
        running.process.kill()
        running.process.wait()
        wait_for_end(children)


@pytest.mark.parametrize("through_sudo", [True, False])
@pytest.mark.parametrize("delay", [0.0, 0.1, 0.3, 0.6])
def test_a_signal_at_the_start_ends_all(network: Network, delay: float, through_sudo: bool):
    """Whatever the workers have done by then, the results come, and no process is left."""
    environment = CALLER if through_sudo else dict(os.environ)
    with live("lo", "-j", "2", "--format", "json", env=environment) as running:
        time.sleep(delay)
        children = descendants(running.process.pid)
        status, out, err = running.stop()
        wait_for_end(children)
    assert (status, out) == (0, b"")
    assert "0 TLS sessions; by process: " in err


@pytest.mark.peer("openssl")
def test_failures_of_all_processes_are_one_group(network: Network, site: Site):
    """Connections by which a client that trusts nobody refuses a server, until each process has got some from the kernel."""
    records = []
    with openssl_server(site) as port, live("lo", "-j", "2", "--format", "json") as running:
        running.wait_for_workers(2)
        while len(records) < 8 or ({one["id"] % 2 for one in records} != {0, 1} and len(records) < 60):
            with socket.create_connection(("127.0.0.1", port), timeout=WAIT) as plain, pytest.raises(ssl.SSLError):
                ssl.create_default_context().wrap_socket(plain, server_hostname=HOST)
            records.append(running.record())
        status, _, err = running.stop()
    assert status == 0, err
    assert {one["id"] % 2 for one in records} == {0, 1}
    assert {one["outcome"]["result"] for one in records} == {"failed"}
    lines = err.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("Failures"))
    assert f"{len(records)} connections" in lines[begin]
    assert lines[begin + 1].split(TIMES)[0].strip() == str(len(records))
    assert f"127.0.0.1 to 127.0.0.1:{port}" in " ".join(lines[begin:])


@pytest.mark.peer("openssl")
def test_a_service_manager_signals_all_processes(network: Network, site: Site):
    """SIGTERM for every process, which the parent passes on: the results come, and nobody says anything else."""
    with openssl_server(site) as port, live("lo", "-j", "2", "--format", "json") as running:
        running.wait_for_workers(2)
        fetch(site, port)
        assert running.record()["established"]
        workers = running.workers()
        assert len(workers) == 2
        for pid in (*workers, running.process.pid):
            os.kill(pid, signal.SIGTERM)
        status, _, err = running.end()
    assert status == 0, err
    assert "1 TLS session; by process: " in err
    assert "ended early" not in err


def test_standard_input_cannot_be_shared(network: Network, run: Run):
    done = run("live", "lo", "-j", "2", "-k", "-")
    assert done.status == 2
    assert done.complaint == "analyzer: -: standard input cannot be read by several processes (-j)"


def test_what_all_have_to_say_is_said_once(network: Network, tmp_path: Path):
    keys = tmp_path / "keys.log"
    keys.write_text("this is no line of a key log\n")
    with live("lo", "-j", "3", "--format", "json", "-k", keys, "-a", "duration:1") as running:
        status, _, err = running.end()
    assert status == 0
    assert err.count("line 1") == 1
    assert err.count("still user root") == (1 if os.geteuid() == 0 else 0)


def test_an_error_that_all_meet_is_said_once(network: Network, tmp_path: Path, run: Run):
    done = run("live", "lo", "-j", "3", "--format", "json", "-k", tmp_path)
    assert (done.status, done.out) == (2, b"")
    complaints = [line for line in done.err.decode().splitlines() if line.startswith("analyzer: ") and "still user" not in line]
    assert complaints == [f"analyzer: {tmp_path}: Is a directory", "analyzer: 3 of 3 processes ended early: status 2"]


WRONG = """
import sys
from argparse import Namespace
from analyzer.cli.live_workers import READY, run_workers
from analyzer.cli.output import Output

def work(options, output, share):
    output.write(READY + b"whole\\npart")
    output.flush()
    raise ZeroDivisionError("by \\udcff")

sys.exit(run_workers(Namespace(jobs=2, user=None, interfaces=["lo"], color="never"), Output(None, (), "never"), work, {}))
"""
"""Runs two workers that have an error, after a line and a part of a second one."""


def test_an_error_of_the_program_itself_comes_whole_and_once():
    """The line is written, the part is not."""
    done = subprocess.run([sys.executable, "-c", WRONG], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout) == (2, "whole\n" * 2)
    assert done.stderr.count("Traceback") == 1
    assert done.stderr.count("ZeroDivisionError: by ") == 1
    assert "2 of 2 processes ended early: status 2" in done.stderr


def test_nobody_asks_for_a_password_in_the_background(network: Network, tmp_path: Path):
    """On a terminal one process would ask; of several, each would, and Linux would stop all of them for ever (SIGTTIN)."""
    key = rsa.generate_private_key(65537, 2048)
    path = tmp_path / "key.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "analyzer", "live", "lo", "-j", "2", "--rsa-key", str(path)])
    shown, until = b"", time.monotonic() + WAIT
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        if select.select([terminal], [], [], 0.05)[0]:
            with contextlib.suppress(OSError):  # EIO: the last process that had it open has ended
                shown += os.read(terminal, 1 << 16)
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            pytest.fail(f"it still runs: {shown.decode()}")
    os.close(terminal)
    assert b"--password-file FILE" in shown
