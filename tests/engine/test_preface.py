"""Bytes before TLS are kept within limits; TDS packets are taken away from around a handshake, wherever segments end."""

import struct

import pytest
from conversations import CLIENT, SERVER, packetise, records, talk, timeless

from analyzer.engine.preface import MAX_BEFORE, Preface

C, S = CLIENT, SERVER
BODY = struct.pack(">BHH", 1, 6, 1) + b"\xff\x01"


def packet(content, kind=0x12, status=1):
    return struct.pack(">BBHHBB", kind, status, 8 + len(content), 0, 0, 0) + content


def wrapped(flights, size=4096):
    """Return a session with SQL Server: its handshake is in PRELOGIN packets of at most so many bytes, the rest is not."""
    found = [(C, packet(BODY)), (S, packet(BODY, 4))]
    for place, (side, data) in enumerate(flights):
        if place < 3:
            pieces = [data[at : at + size] for at in range(0, len(data), size)]
            data = b"".join(packet(piece, status=int(piece is pieces[-1])) for piece in pieces)
        found.append((side, data))
    return found


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("mss", [1, 100, 1400])
@pytest.mark.parametrize("size", [200, 4096])
def test_a_handshake_in_tds_packets(version, mss, size):
    [plain] = map(timeless, records(packetise(talk(version))))
    [record] = map(timeless, records(packetise(wrapped(talk(version), size), mss=mss)))
    [before], record["before"] = record["before"], []
    assert before["protocol"] == "tds"
    assert before["details"] == {"client_encryption": "on", "server_encryption": "on"}
    assert record == plain


def test_what_is_kept_has_a_limit():
    preface = Preface()
    for _ in range(3 * MAX_BEFORE):
        preface.add(0, b"a")
    assert preface.pieces == [(0, b"a" * MAX_BEFORE)]
    assert preface.cut
    other = Preface()
    other.add(0, b"a")
    assert not other.cut
    other.add(1, b"b" * 2 * MAX_BEFORE)
    assert other.cut
    assert sum(len(data) for _, data in other.pieces) == MAX_BEFORE
    other.drop()
    assert other.pieces == []


def test_only_the_header_of_a_packet_wraps():
    for last, wraps in (
        (packet(b"x" * 20)[:8], True),
        (b"\x12\x05\0\x20\0\0\0\0", False),
        (b"EHLO a\r\n", False),
        (b"\x12", False),
    ):
        preface = Preface()
        preface.add(0, last)
        preface.begin(0)
        assert preface.wraps is wraps
