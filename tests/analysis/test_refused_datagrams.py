"""Sessions over UDP whose datagrams somebody refused with an ICMP error."""

import socket
import struct
from pathlib import Path
from typing import Any

import pytest
from conversations import read_sessions
from dtls_talks import HOSTS, PORTS, DtlsTalk
from frames_by_hand import checksum, ethernet, ip, write
from quic_talks import Talk

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record

ROUTER = "203.0.113.1"


def icmp(frame: bytes, code: int = 3, kind: int = 3, sender: str = HOSTS[1], to: str = HOSTS[0], size: int = 28) -> bytes:
    """The frame of an ICMP error about a packet."""
    body = struct.pack(">BBHI", kind, code, 0, 0) + frame[14 : 14 + size]
    body = body[:2] + checksum(body).to_bytes(2) + body[4:]
    addresses = socket.inet_aton(sender) + socket.inet_aton(to)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 60, 1, 0) + addresses
    return ethernet(0x0800, head[:10] + checksum(head).to_bytes(2) + head[12:] + body)


def record_of(path: Path, *frames: bytes, keys: Any = None) -> dict[str, Any]:
    write(path, [(10**18 + place * 10**6, frame) for place, frame in enumerate(frames)])
    (session,) = read_sessions(CaptureReader([str(path)]), Engine(keylog=keys))
    return session_record(session, False)


def short(record: dict[str, Any]) -> tuple[Any, ...]:
    """What it came to, and whether the handshake was completed."""
    known = record["outcome"]
    return known["result"], known["ended_by"], known["cause"], known["certainty"], record["established"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({}, ("failed", "server", "connection_refused", "likely", None)),
        ({"code": 13, "sender": ROUTER}, ("failed", "between", "connection_refused", "likely", None)),
        ({"code": 1, "sender": ROUTER}, ("abandoned", "nobody", "no_answer", "likely", None)),
        ({"code": 4, "sender": ROUTER}, ("unknown", None, "capture_incomplete", "certain", None)),
        ({"size": 27}, ("unknown", None, "capture_incomplete", "certain", None)),
        ({"to": ROUTER}, ("unknown", None, "capture_incomplete", "certain", None)),
    ],
    ids=["port unreachable", "prohibited", "host unreachable", "too big", "cut", "to another host"],
)
def test_the_hello_of_dtls(tmp_path: Path, error: dict[str, Any], expected: tuple[Any, ...]) -> None:
    ((_, hello),) = DtlsTalk().packets
    record = record_of(tmp_path / "a.pcapng", hello, icmp(hello, **error))
    assert short(record) == expected
    if expected[0] != "unknown":
        assert record["outcome"]["frames"] == [1, 2]
        assert "answered with the ICMP error" in record["outcome"]["detail"]


def test_an_error_of_another_flow_or_another_direction_says_nothing(tmp_path: Path) -> None:
    ((_, hello),) = DtlsTalk().packets
    ((_, other),) = DtlsTalk(ports=(1, PORTS[1])).packets
    assert short(record_of(tmp_path / "a.pcapng", hello, icmp(other)))[0] == "unknown"
    back = hello[:26] + hello[30:34] + hello[26:30] + hello[36:38] + hello[34:36] + hello[38:]
    assert short(record_of(tmp_path / "b.pcapng", hello, icmp(back, to=HOSTS[1])))[0] == "unknown"


def test_a_server_that_answers_after_all(tmp_path: Path) -> None:
    """It was not there yet when the first datagram came."""
    frames = [frame for _, frame in DtlsTalk().shake_hands().packets]
    record = record_of(tmp_path / "a.pcapng", frames[0], icmp(frames[0], 1, sender=ROUTER), *frames)
    assert record["outcome"]["cause"] != "connection_refused"
    assert record["established"] is not False


def test_a_server_that_is_gone_after_its_answer(tmp_path: Path) -> None:
    frames = [frame for _, frame in DtlsTalk().shake_hands().packets]
    record = record_of(tmp_path / "a.pcapng", *frames[:4], frames[0], icmp(frames[0]))
    assert short(record)[:4] == ("failed", "server", "connection_refused", "likely")


def test_a_client_that_goes_on_was_not_refused(tmp_path: Path) -> None:
    """What the server sent took another way, on which nobody captured."""
    talk = DtlsTalk().shake_hands()
    talk.seal(0, 23, b"data")
    frames = [frame for _, frame in talk.packets if frame[26:30] == socket.inet_aton(HOSTS[0])]
    record = record_of(tmp_path / "a.pcapng", frames[0], icmp(frames[0], 1, sender=ROUTER), *frames[1:])
    assert record["established"] is None
    assert record["outcome"]["cause"] == "capture_incomplete"


def test_an_error_of_ipv6(tmp_path: Path) -> None:
    ((_, hello),) = DtlsTalk().packets
    client, server = "2001:db8::1", "2001:db8::2"
    sent = ip(client, server, 17, hello[34:], 6, 1, 64)
    body = struct.pack(">BBHI", 1, 4, 0, 0) + sent[14:]
    record = record_of(tmp_path / "a.pcapng", sent, ip(server, client, 58, body, 2, 1, 60))
    assert short(record) == ("failed", "server", "connection_refused", "likely", None)


@pytest.mark.parametrize("keys", [False, True])
def test_a_client_of_quic_that_goes_on_was_not_refused(tmp_path: Path, keys: bool) -> None:
    """What the server sent took another way, or was lost in the capture but for its first packet."""
    talk = Talk().connect()
    sent = talk.say(0, 0, b"question" * 900).say(1, 0, b"answer" * 900).close().sent
    first = sent[0].frame()
    server, client = socket.inet_ntoa(first[30:34]), socket.inet_ntoa(first[26:30])
    error = icmp(first, 1, sender=ROUTER, to=client), icmp(first, sender=server, to=client)
    keylog = None
    if keys:
        keylog = KeyLog()
        keylog.feed(talk.keys)
        keylog.close()
    frames = [one.frame() for one in sent if one.side == 0]
    record = record_of(tmp_path / "a.pcapng", *frames, *error, keys=keylog)
    assert record["outcome"]["cause"] not in ("connection_refused", "no_answer")
    assert record["established"] is (True if keys else None)


def test_a_server_of_quic(tmp_path: Path) -> None:
    """Two Initial packets; the second is refused, or both are answered by nobody."""
    sent = Talk().connect().sent
    first, *_ = [one.frame() for one in sent if one.side == 0]
    server, client = socket.inet_ntoa(first[30:34]), socket.inet_ntoa(first[26:30])
    record = record_of(tmp_path / "a.pcapng", first, icmp(first, sender=server, to=client))
    assert short(record) == ("failed", "server", "connection_refused", "likely", None)
    assert "port unreachable" in record["outcome"]["detail"]
    record = record_of(tmp_path / "b.pcapng", *[one.frame() for one in sent], icmp(first, sender=server, to=client))
    assert record["outcome"]["result"] == "established"
