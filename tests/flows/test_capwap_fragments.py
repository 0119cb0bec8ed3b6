"""Frames in fragments of CAPWAP: TLS in them is that of a capture without access points, in any order and with losses."""

import json
import random
import socket
import struct
from pathlib import Path
from typing import Any

import pytest
from conversations import read_sessions, timeless
from frames_by_hand import ethernet, ip, write

from analyzer.capture.capture_reader import CaptureReader
from analyzer.cli.main import main
from analyzer.engine import Engine
from analyzer.flows.capwap_fragments import ip_fragment
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record

CAPTURE = Path(__file__).parents[2] / "captures" / "tls12-ecdhe-ecdsa" / "tls12-ecdhe-ecdsa.pcapng"
POINT, CONTROLLER = ("192.168.0.2", 9000), ("192.168.0.1", 5247)

Timed = tuple[int, bytes]


def capwap(content: bytes, number: int, offset: int = 0, flags: int = 0, six: bool = False, options: int = 0) -> bytes:
    """A frame with a data message of CAPWAP, or a fragment of one: 802.3, radio 1, binding 802.11. options: 32-bit words."""
    head = bytes((0, (2 + options) << 3, 0x42, flags)) + struct.pack(">HH", number, offset) + bytes(4 * options)
    ends = ("2001:db8::2", "2001:db8::1") if six else (POINT[0], CONTROLLER[0])
    body = struct.pack(">HHHH", POINT[1], CONTROLLER[1], 16 + 4 * options + len(content), 0) + head + content
    return ip(*ends, 17, body, 6, number, 64)


def cut(content: bytes, number: int, size: int, **how: Any) -> list[bytes]:
    """The fragments of a frame; size: a multiple of eight."""
    if len(content) <= size:
        return [capwap(content, number, **how)]
    places = range(0, len(content), size)
    return [
        capwap(content[at : at + size], number, at, 0x80 | (0x40 if at + size >= len(content) else 0), **how) for at in places
    ]


def frames() -> list[Timed]:
    """The frames of the capture."""
    found = []
    for reader in CaptureReader([str(CAPTURE)]).packet_readers():
        while reader.advance():
            found.append((reader.frame.at, bytes(reader.frame.data[reader.frame.start : reader.frame.end])))
    return found


def record_of(path: Path) -> dict[str, Any]:
    keylog = KeyLog()
    keylog.take(CAPTURE.with_suffix(".keys").read_bytes(), "keys")
    (session,) = read_sessions(CaptureReader([str(path)]), Engine(keylog=keylog))
    return timeless(session_record(session, False))


@pytest.mark.parametrize("how", [{}, {"six": True}, {"options": 2}], ids=["IPv4", "IPv6", "with options"])
@pytest.mark.parametrize("seed", [None, 1, 2])
def test_a_session_in_fragments(tmp_path: Path, how: dict[str, Any], seed: int | None) -> None:
    """With a seed the fragments of each frame come in another order, and some twice."""
    chance, sent = random.Random(seed), []
    for number, (at, frame) in enumerate(frames()):
        parts = cut(frame, number, 64, **how)
        if seed is not None:
            parts += chance.sample(parts, 1) if len(parts) > 1 else []
            chance.shuffle(parts)
        sent += [(at, one) for one in parts]
    found, expected = record_of(write(tmp_path / "a.pcapng", sent)), record_of(CAPTURE)
    for one in (found, expected):
        one["findings"] = [finding["code"] for finding in one["findings"]]
        for key in ("capture", "alerts", "http"):  # which have numbers of frames
            one.pop(key)
    assert found["decryption"]["status"] == "decrypted"
    assert {key: found[key] for key in found if found[key] != expected[key]} == {}


def test_rows_of_packets_that_a_filter_chooses(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The fragments before the one that completes a message are read too."""
    sent = [(at, one) for number, (at, frame) in enumerate(frames()) for one in cut(frame, number, 512)]
    path = write(tmp_path / "a.pcapng", sent)
    assert main(["packets", str(path), "-Y", "tls.handshake.type == 2", "--format", "json"]) == 0
    (line,) = capfd.readouterr().out.splitlines()
    assert "Server Hello, Certificate, Server Key Exchange, Server Hello Done" in line
    assert json.loads(line)["number"] == 8


def test_a_fragment_that_is_lost_is_a_gap_of_one_frame(tmp_path: Path) -> None:
    sent = [(at, one) for number, (at, frame) in enumerate(frames()) for one in cut(frame, number, 128)]
    longest = next(place for place, (_, frame) in enumerate(sent) if frame[14 + 20 + 8 + 3] & 0xC0 == 0xC0 and place > 15)
    del sent[longest]
    path = write(tmp_path / "a.pcapng", sent)
    (session,) = read_sessions(CaptureReader([str(path)]), Engine())
    assert session.log.gaps or session.flow.unseen


@pytest.mark.parametrize("n_bytes", range(42, 60))
def test_what_is_cut_is_no_fragment(n_bytes: int) -> None:
    packet, frame = Packet(), capwap(bytes(range(40)), 7, 0, 0x80)
    read(packet, frame, 0, n_bytes, 1, len(frame))
    assert ip_fragment(packet) is None


@pytest.mark.parametrize(
    ("flags", "offset", "fragment"),
    [(0, 0, False), (0x40, 0, False), (0x88, 0, False), (0x80, 0, True), (0xC0, 8, True), (0x80, 0xFFF8, False)],
)
def test_what_is_a_fragment(flags: int, offset: int, fragment: bool) -> None:
    packet, frame = Packet(), capwap(bytes(40), 7, offset, flags)
    read(packet, frame, 0, len(frame), 1, len(frame))
    found = ip_fragment(packet)
    assert (found is not None) is fragment
    if found is not None:
        assert found[12:20] == socket.inet_aton(POINT[0]) + socket.inet_aton(CONTROLLER[0])
        assert read(packet, ethernet(0x0800, found), 0, 14 + len(found), 1, 14 + len(found)) is False
        assert (packet.fragment, packet.fragment_id) == (True, 7)
        assert packet.fragment_offset == (offset + 16 if offset else 0)
