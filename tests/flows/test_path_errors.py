"""ICMP errors belong to the connection whose packet they quote, and what they say is part of why it failed."""

import socket
import struct
from pathlib import Path

import pytest
from frames_by_hand import checksum, ethernet, ip, write
from wire import ADDRESSES, CLIENT, SERVER, Wire, failure, flights, hello, outcome, run, short

ROUTER = "203.0.113.1"


def icmp(wire: Wire, kind: int, code: int, rest: int = 0, sender: str = ROUTER, to: int = CLIENT, size: int = 28) -> Wire:
    """An ICMP error about the last packet of the wire, with the first `size` bytes of it."""
    quoted = wire.frames[-1][1][14 : 14 + size]
    body = struct.pack(">BBHI", kind, code, 0, rest) + quoted
    body = body[:2] + checksum(body).to_bytes(2) + body[4:]
    wire.at += 1_000_000
    addresses = socket.inet_aton(sender) + socket.inet_aton(ADDRESSES[to])
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 60, 1, 0) + addresses
    wire.frames.append((wire.at, ethernet(0x0800, head[:10] + checksum(head).to_bytes(2) + head[12:] + body)))
    return wire


@pytest.mark.parametrize(
    ("code", "sender", "expected"),
    [
        (13, ROUTER, ("failed", "between", "tcp", "connection_refused")),
        (3, ADDRESSES[SERVER], ("failed", "server", "tcp", "connection_refused")),
        (1, ROUTER, ("abandoned", "nobody", "tcp", "no_answer")),
    ],
)
def test_an_error_about_the_syn(tmp_path: Path, code: int, sender: str, expected: tuple[str, ...]):
    found = failure(tmp_path, icmp(Wire().syn(), 3, code, sender=sender))
    assert short(found) == expected
    assert found is not None
    assert (found["certainty"], found["frames"]) == ("certain", [1, 2])
    assert f"{sender} answered with the ICMP error" in found["detail"]


def test_an_error_after_which_the_answer_comes_is_no_failure(tmp_path: Path):
    wire = icmp(Wire().syn(), 3, 1).wait(1).syn().accept().ack(CLIENT)
    for side, data in flights():
        wire.say(side, data)
    assert outcome(tmp_path, wire.close(CLIENT))["result"] == "established"


@pytest.mark.parametrize("change", ["sequence", "receiver", "ports", "cut"])
def test_an_error_that_quotes_no_packet_of_the_connection_says_nothing(tmp_path: Path, change: str):
    wire = icmp(Wire().syn(), 3, 13, size=27 if change == "cut" else 28)
    at, frame = wire.frames[1]
    place = {"sequence": 14 + 20 + 8 + 24, "receiver": 33, "ports": 14 + 20 + 8 + 20, "cut": 0}[change]
    wire.frames[1] = at, frame[:place] + bytes([frame[place] ^ 0x40]) + frame[place + 1 :]
    assert failure(tmp_path, wire) is None


def test_a_packet_that_is_too_big_for_the_path(tmp_path: Path):
    wire = Wire().open().say(CLIENT, hello())
    wire.say(SERVER, flights()[1][1][:1400], arrives=False)
    icmp(wire, 3, 4, rest=1280, to=SERVER).again(SERVER, 1400, 3)
    found = outcome(tmp_path, wire)
    assert short(found)[3] == "packets_lost_on_path"
    assert found["certainty"] == "certain"
    assert "203.0.113.1 answered with the ICMP error fragmentation needed: packets of more than 1,280 bytes" in found["detail"]
    error = next(number for number, (_, frame) in enumerate(wire.frames, 1) if frame[23] == 1)
    assert error in found["frames"]


def test_path_mtu_discovery_that_works_is_no_failure(tmp_path: Path):
    wire = Wire().open()
    (side, first), (other, answer), *rest = flights()
    wire.say(side, first)
    wire.say(other, answer[:1400], arrives=False)
    icmp(wire, 3, 4, rest=1000, to=SERVER)
    wire.next[SERVER] -= len(answer[:1400])
    wire.say(other, answer, size=900)
    for side, data in rest:
        wire.say(side, data)
    found = outcome(tmp_path, wire.close(CLIENT))
    assert (found["result"], found["cause"]) == ("established", None)


def test_an_error_of_ipv6(tmp_path: Path):
    client, server = "2001:db8::1", "2001:db8::2"
    ports = struct.pack(">HHIIHHHH", 50000, 443, 999, 0, 0x5002, 60000, 0, 0)
    syn = ip(client, server, 6, ports, 16, 1, 64)
    body = struct.pack(">BBHI", 1, 1, 0, 0) + syn[14:]
    error = ip("2001:db8::fe", client, 58, body, 2, 1, 60)
    capture = write(tmp_path / "six.pcapng", [(10**18, syn), (10**18 + 10**6, error)])
    (listed,) = run(tmp_path, "summary", str(capture))[0]["failures"]
    assert short(listed["outcome"]) == ("failed", "between", "tcp", "connection_refused")
    assert "2001:db8::fe answered with the ICMP error communication administratively prohibited" in listed["outcome"]["detail"]
