"""Who owns a socket, by what the kernel of this machine says about real connections."""

import os
import socket
import sys
import time
from collections.abc import Iterator

import pytest

from analyzer.capture.processes.socket_diagnostics import Owner, SocketDiagnostics

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sock_diag is an interface of Linux")


def key_of(connection: socket.socket) -> bytes:
    """The key of a packet that this end sends."""
    ends = connection.getsockname(), connection.getpeername()
    addresses = b"".join(socket.inet_pton(connection.family, end[0]) for end in ends)
    return addresses + b"".join(end[1].to_bytes(2, "big") for end in ends)


def inode_of(connection: socket.socket) -> int:
    return os.fstat(connection.fileno()).st_ino


@pytest.fixture
def diagnostics() -> Iterator[SocketDiagnostics]:
    asking = SocketDiagnostics()
    yield asking
    asking.close()


@pytest.fixture(params=["127.0.0.1", "::1"])
def listening(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family) as listener:
        try:
            listener.bind((request.param, 0))
        except OSError:
            pytest.skip(f"this machine has no address {request.param}")
        listener.listen()
        yield listener


def connect(listening: socket.socket) -> socket.socket:
    client = socket.socket(listening.family)
    client.connect(listening.getsockname())
    return client


def test_both_ends_of_a_connection(diagnostics: SocketDiagnostics, listening: socket.socket):
    with connect(listening) as client:
        accepted, _ = listening.accept()
        with accepted:
            uid = os.geteuid()
            assert diagnostics.owner(key_of(client), 0) == Owner(inode_of(client), uid)
            assert diagnostics.owner(key_of(client), 1) == Owner(inode_of(accepted), uid)
            assert diagnostics.owner(key_of(accepted), 0) == Owner(inode_of(accepted), uid)


def test_of_a_connection_that_was_not_accepted_yet_the_listener_counts(
    diagnostics: SocketDiagnostics, listening: socket.socket
):
    with connect(listening) as client:
        assert diagnostics.owner(key_of(client), 1) == Owner(inode_of(listening), os.geteuid())


def test_a_connection_that_has_ended_belongs_to_nobody(diagnostics: SocketDiagnostics, listening: socket.socket):
    with connect(listening) as client:
        accepted, _ = listening.accept()
        key = key_of(client)
        client.close()
        accepted.close()
    time.sleep(0.05)
    assert [diagnostics.owner(key, end) for end in (0, 1)] == [None, None]


def test_a_listener_does_not_own_the_connections_of_other_machines(diagnostics: SocketDiagnostics):
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        listener.listen()
        port = listener.getsockname()[1].to_bytes(2, "big")
        assert diagnostics.owner(bytes([192, 0, 2, 1, 192, 0, 2, 2]) + b"\x80\x00" + port, 1) is None


def test_what_is_no_connection(diagnostics: SocketDiagnostics):
    assert diagnostics.owner(bytes(12), 0) is None
    assert diagnostics.owner(bytes(36), 1) is None
