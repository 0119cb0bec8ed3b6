"""QUIC and DTLS are recognized by their first bytes, and their packets are counted."""

import pytest

from analyzer.analysis.datagram_kinds import DTLS, NEITHER, QUIC, kind_of
from analyzer.analysis.traffic import Traffic, unread_datagrams
from analyzer.capture.frame import Frame
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet

LONG = "c0 00000001 08 0102030405060708 00 00"


def datagram(payload: bytes, ports: tuple[int, int] = (50000, 443)) -> bytes:
    udp = ports[0].to_bytes(2, "big") + ports[1].to_bytes(2, "big") + (8 + len(payload)).to_bytes(2, "big") + bytes(2)
    total = (28 + len(payload)).to_bytes(2, "big")
    addresses = bytes.fromhex("c0000201 c0000202" if ports[1] == 443 else "c0000202 c0000201")
    return bytes.fromhex("4500") + total + bytes.fromhex("00000000 40110000") + addresses + udp + payload


def packet_of(data: bytes) -> Packet:
    packet = Packet()
    read(packet, data, 0, len(data), 101, len(data))
    return packet


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (LONG, QUIC),
        ("c0 6b3343cf 08 0102030405060708", QUIC),
        ("c0 ff00001d 08 0102030405060708", QUIC),
        ("c0 00000002 08 0102030405060708", NEITHER),
        ("c0 00000001 15 0102030405060708", NEITHER),
        ("80 00000001 08 0102030405060708", NEITHER),
        ("c0 00000001 08 01020304", NEITHER),
        ("16 feff 0000 000000000000 0000", DTLS),
        ("17 fefd 0001 000000000001 0000", DTLS),
        ("16 0303 0000 000000000000 0000", NEITHER),
        ("13 fefd 0000 000000000000 0000", NEITHER),
        ("", NEITHER),
    ],
)
def test_the_kind_of_a_datagram(payload: str, kind: int):
    assert kind_of(packet_of(datagram(bytes.fromhex(payload)))) == kind


def test_packets_after_the_first_ones_belong_to_the_same_conversation():
    traffic, frame = Traffic(), Frame()
    for payload, ports in (
        (LONG, (50000, 443)),
        ("40" * 20, (443, 50000)),
        ("40" * 20, (50000, 443)),
        ("40" * 20, (50001, 443)),
    ):
        data = datagram(bytes.fromhex(payload), ports)
        frame.data, frame.start, frame.end, frame.wire_length, frame.link_type = data, 0, len(data), len(data), 101
        frame.number += 1
        traffic.count(packet_of(data), frame)
    assert unread_datagrams(traffic) == {"QUIC": 3, "DTLS": 0}
    assert [(one.application, sum(one.packets)) for one in traffic.top(9)] == [("QUIC", 3), ("", 1)]
    traffic.fold(0)
    assert unread_datagrams(traffic) == {"QUIC": 3, "DTLS": 0}
