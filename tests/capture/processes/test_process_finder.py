"""The process of a connection, from both ends, with the user that runs it."""

import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.capture.processes import process_search
from analyzer.capture.processes.process_finder import ProcessFinder, user_name
from analyzer.capture.processes.process_search import ProcessSearch

from .test_socket_diagnostics import key_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sock_diag is an interface of Linux")

CLIENT = "import socket, sys; c = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); c.recv(1)"


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProcessFinder]:
    monkeypatch.setattr(process_search, "LONGEST_SEARCH", 5.0)  # on a busy machine too
    finding = ProcessFinder()
    yield finding
    finding.close()


@pytest.fixture
def connection() -> Iterator[tuple[bytes, int]]:
    """A connection from another process to this one: its key, and the id of the client."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [sys.executable, "-c", CLIENT, str(listening.getsockname()[1])]
        with subprocess.Popen(command) as client:
            accepted, _ = listening.accept()
            with accepted:
                there, here = accepted.getpeername(), accepted.getsockname()
                addresses = socket.inet_aton(there[0]) + socket.inet_aton(here[0])
                yield addresses + there[1].to_bytes(2, "big") + here[1].to_bytes(2, "big"), client.pid


def test_on_one_machine_the_client_is_found(finder: ProcessFinder, connection: tuple[bytes, int]):
    key, pid = connection
    found = finder.find(key)
    assert found is not None
    assert (found.pid, found.user) == (pid, pwd.getpwuid(os.geteuid()).pw_name)
    assert found.name == Path(f"/proc/{pid}/comm").read_text().strip()
    assert os.getpid() in found.ancestors


def test_the_server_is_found_where_the_client_is_elsewhere(finder: ProcessFinder, connection: tuple[bytes, int]):
    """Seen from a client whose socket this machine does not have, because its half of the connection has another key."""
    key, _ = connection
    owner = finder._sockets.owner(key, 1)
    assert owner is not None
    assert finder._search.pid_of(owner.inode) == os.getpid()


def test_a_socket_whose_process_is_not_found_yet_has_its_user(
    finder: ProcessFinder, connection: tuple[bytes, int], tmp_path: Path
):
    key, pid = connection
    finder._search = ProcessSearch(str(tmp_path))
    found = finder.find(key)
    assert found is not None
    assert (found.name, found.pid, found.user) == (None, None, user_name(os.geteuid()))
    finder._search = ProcessSearch()
    again = finder.find(key)
    assert again is not None
    assert again.pid == pid


def test_a_connection_of_other_machines(finder: ProcessFinder):
    assert finder.find(bytes([192, 0, 2, 1, 192, 0, 2, 2]) + b"\x80\x00\x01\xbb") is None


def test_the_name_of_a_user():
    assert user_name(0) == pwd.getpwuid(0).pw_name
    assert user_name(3_999_999_999) == "3999999999"


def test_a_key_from_this_side_is_as_good(finder: ProcessFinder):
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()) as client:
        found = finder.find(key_of(client))
        assert found is not None
        assert found.pid == os.getpid()
