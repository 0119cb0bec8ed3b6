"""The connections that begin: real ones on the loopback interface, and packets that are cut."""

import select
import socket
from collections.abc import Iterator

import pytest
from live_tls import require_capture

from analyzer.capture.processes.connection_attempts import MOST_AT_ONCE, ConnectionAttempts, key_of

from .test_socket_diagnostics import key_of as key_of_socket


@pytest.fixture
def attempts() -> Iterator[ConnectionAttempts]:
    require_capture()
    watching = ConnectionAttempts()
    yield watching
    watching.close()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_connection_is_seen_once_and_nothing_else(attempts: ConnectionAttempts, address: str):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listening, socket.socket(family) as client, socket.socket(family, socket.SOCK_DGRAM) as other:
        listening.bind((address, 0))
        listening.listen()
        attempts.take()
        client.connect(listening.getsockname())
        client.sendall(b"data, which is no beginning")
        other.sendto(b"a datagram", listening.getsockname())
        key = key_of_socket(client)
        assert select.select([attempts.socket], [], [], 5)[0]
        seen: list[bytes] = []
        while select.select([attempts.socket], [], [], 0.2)[0]:
            seen += attempts.take()
        assert key in seen
        port = listening.getsockname()[1].to_bytes(2, "big")
        assert {one for one in seen if one.endswith(port)} == {key}


def test_a_turn_is_bounded(attempts: ConnectionAttempts):
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        clients = [socket.create_connection(listening.getsockname()) for _ in range(2 * MOST_AT_ONCE)]
        assert 0 < len(attempts.take()) <= MOST_AT_ONCE
        for client in clients:
            client.close()


V4 = bytes([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]) + b"\x12\x34\x01\xbb" + bytes(16)
V6 = bytes([0x60, 0, 0, 0, 0, 20, 6, 64]) + bytes(15) + b"\1" + bytes(15) + b"\2" + b"\x12\x34\x01\xbb" + bytes(16)


def test_the_key_of_a_segment():
    assert key_of(V4) == bytes([10, 0, 0, 1, 10, 0, 0, 2]) + b"\x12\x34\x01\xbb"
    assert key_of(b"\x46" + V4[1:20] + bytes(4) + V4[20:]) == key_of(V4)
    assert key_of(V6) == V6[8:44]


@pytest.mark.parametrize("packet", [V4, V6], ids=["IPv4", "IPv6"])
def test_what_is_cut_or_wrong_has_no_key(packet: bytes):
    for length in range(40):
        assert key_of(packet[:length]) is None
    assert key_of(b"\x4f" + packet[1:40]) is None
    assert key_of(b"\x41" + packet[1:]) is None
    assert key_of(b"\x00" + packet[1:]) is None
    assert key_of(V4[:9] + b"\x11" + V4[10:]) is None
    assert key_of(V6[:6] + b"\x11" + V6[7:]) is None
