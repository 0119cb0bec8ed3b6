"""TCP options: each kind, unknown kinds, wrong lengths, and the options of real captures."""

import random

import pytest

from analyzer.packet import headers
from analyzer.packet.options import read_tcp_options
from analyzer.packet.packet import Packet


def options(row, snap=None):
    padded = row + bytes(-len(row) % 4)
    header = bytes(12) + bytes(((5 + len(padded) // 4) << 4, 2)) + bytes(6) + padded
    ip = bytes((0x45, 0)) + (20 + len(header)).to_bytes(2, "big") + bytes(5) + b"\x06" + bytes(10) + header
    packet = Packet()
    assert headers.read(packet, ip, 0, len(ip) if snap is None else snap, 101, len(ip))
    return read_tcp_options(packet)


@pytest.mark.parametrize(
    ("row", "name", "value"),
    [
        ("020405b4", "Maximum Segment Size", 1460),
        ("030307", "Window Scale", 7),
        ("0402", "SACK Permitted", b""),
        ("050a0000000100000002", "SACK", ((1, 2),)),
        ("051200000001fffffffe0000000300000004", "SACK", ((1, 0xFFFFFFFE), (3, 4))),
        ("080affffffff00000001", "Timestamps", (0xFFFFFFFF, 1)),
        ("220a0102030405060708", "TCP Fast Open Cookie", bytes(range(1, 9))),
        ("2202", "TCP Fast Open Cookie", b""),
        ("1312" + "aa" * 16, "MD5 Signature Option", b"\xaa" * 16),
        ("fd06cafe0102", "RFC3692-style Experiment 1", b"\xca\xfe\1\2"),
        ("01", "No-Operation", b""),
        ("00", "End of Option List", b""),
    ],
)
def test_each_option(row, name, value):
    first = options(bytes.fromhex(row))[0]
    assert (first.name, first.value, first.offset, first.length, first.problem) == (name, value, 40, len(row) // 2, "")


def test_several_options():
    found = options(bytes.fromhex("020405b4 0402 080a 00000001 00000002 01 030307 00 ffff"))
    assert [option.kind for option in found] == [2, 4, 8, 1, 3, 0]
    assert [option.offset for option in found] == [40, 44, 46, 56, 57, 60]


@pytest.mark.parametrize(
    ("row", "kinds", "problem", "value"),
    [
        ("01020005", [1, 2], "length 0 of 3 bytes", b"\5"),
        ("01010103", [1, 1, 1, 3], "length 0 of 1 bytes", b""),
        ("08ff0000", [8], "length 255 of 4 bytes", b"\0\0"),
        ("02030501", [2, 1], "", b""),
        ("0203050103", [2, 1, 3], "length 0 of 4 bytes", b"\0\0"),
    ],
)
def test_wrong_lengths(row, kinds, problem, value):
    found = options(bytes.fromhex(row))
    assert [option.kind for option in found] == kinds
    if problem:
        assert (found[-1].problem, found[-1].value) == (problem, value)
    else:
        assert (found[0].problem, found[0].value) == ("length 3", b"\5")


def test_options_truncated_by_the_snapshot_length():
    found = options(bytes.fromhex("020405b40101080a0000000100000002"), snap=50)
    assert [option.kind for option in found] == [2, 1, 1, 8]
    assert found[-1].problem == "length 10 of 4 bytes"


def test_a_packet_without_tcp_has_none():
    assert read_tcp_options(Packet()) == []


def test_any_bytes_give_options_that_cover_them():
    chance = random.Random(7323)
    for _ in range(2000):
        row = chance.randbytes(4 * chance.randrange(11))
        at = 40
        for option in options(row):
            assert option.offset == at
            assert option.length > 0
            at += option.length
        assert at <= 40 + len(row)


def test_real_options(frames):
    packet = Packet()
    found = []
    for name, number in (("zeek/tcpip/tcp-option-sack.pcap", 2), ("zeek/tcpip/wikipedia.pcap", 9)):
        data, link_type, length = frames(name)[number - 1]
        assert headers.read(packet, data, 0, len(data), link_type, length)
        found.append([(option.kind, option.value) for option in read_tcp_options(packet) if option.kind > 1])
    # As tshark reads them.
    assert found[0] == [(5, ((1, 16), (256, 4096)))]
    assert found[1][0] == (2, 1460)
    assert found[1][1] == (4, b"")
    assert found[1][2] == (8, (1828788, 0))
    assert found[1][3] == (3, 7)
