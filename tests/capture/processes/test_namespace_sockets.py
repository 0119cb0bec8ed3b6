"""Connections in other network namespaces: the tables of the kernel, and a real namespace."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from analyzer.capture.processes import process_search
from analyzer.capture.processes.namespace_sockets import NamespaceSockets, connections_in
from analyzer.capture.processes.process_finder import ProcessFinder
from analyzer.capture.processes.socket_diagnostics import Owner

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
LITTLE = pytest.mark.skipif(sys.byteorder != "little", reason="the tables of a machine of the other byte order")


def row(local: str, remote: str, state: str = "01", uid: int = 1000, inode: int = 77) -> str:
    return f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 {uid:5} 0 {inode} 1 0 20 4 30 10 -1\n"


@LITTLE
def test_a_connection_in_the_table():
    found = connections_in(HEAD + row("0100007F:C350", "0A00A8C0:01BB"))
    assert found == {bytes([127, 0, 0, 1, 192, 168, 0, 10]) + b"\xc3\x50\x01\xbb": Owner(77, 1000)}


@LITTLE
def test_an_ipv4_connection_of_an_ipv6_socket_has_both_names():
    found = connections_in(HEAD + row("0000000000000000FFFF00000100007F:C350", "0000000000000000FFFF00000A00A8C0:01BB"))
    short = bytes([127, 0, 0, 1, 192, 168, 0, 10]) + b"\xc3\x50\x01\xbb"
    assert found[short] == Owner(77, 1000)
    assert sorted(map(len, found)) == [12, 36]


@pytest.mark.parametrize(
    "line",
    [
        row("0100007F:C350", "0A00A8C0:01BB", "06"),
        row("0100007F:C350", "00000000:0000", "0A"),
        row("0100007F:C350", "0A00A8C0:01BB", inode=0),
        row("0100007F:C350", "0A00A8C0:01BB")[:40],
        row("0100007F", "0A00A8C0:01BB"),
        row("0100007F:C3", "0A00A8C0:01BB"),
        row("XX00007F:C350", "0A00A8C0:01BB"),
        row("0100007F:C350", "0A00A8C0:01BB").replace("1000", "many"),
        "\x1b[2J\n",
    ],
)
def test_what_belongs_to_nobody_or_cannot_be_read(line: str):
    assert connections_in(HEAD + line) == {}


SERVE = """
import socket, subprocess
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
listening = socket.create_server(("127.0.0.1", 4433))
client = socket.create_connection(("127.0.0.1", 4433))
accepted, _ = listening.accept()
print(client.getsockname()[1], flush=True)
input()
"""


@pytest.fixture
def elsewhere() -> Iterator[tuple[int, int]]:
    """A process in a namespace of its own, with a connection to itself: its id, and the port of the client."""
    if os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("ip") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI=true allows no test to be skipped: a network namespace needs root, unshare and ip", pytrace=False)
        pytest.skip("a network namespace needs root, unshare and ip")
    command = ["unshare", "--net", sys.executable, "-c", SERVE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process.pid, int(process.stdout.readline())
        process.communicate(b"\n", timeout=60)


def test_a_connection_in_another_namespace(elsewhere: tuple[int, int], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process_search, "LONGEST_SEARCH", 5.0)  # on a busy machine too
    pid, port = elsewhere
    loopback = socket.inet_aton("127.0.0.1")
    key = loopback + loopback + port.to_bytes(2, "big") + (4433).to_bytes(2, "big")
    sockets = NamespaceSockets()
    client, server = sockets.owner(key, 0), sockets.owner(key, 1)
    assert client is not None
    assert server is not None
    assert client.inode != server.inode
    assert sockets.owner(key[:8] + b"\0\1\0\2", 0) is None
    finder = ProcessFinder()
    process = finder.find(key)
    finder.close()
    assert process is not None
    assert process.pid == pid
