"""Conversations and endpoints by kind of address."""

import struct
from pathlib import Path

import pytest

from analyzer.analysis import conversations as module
from analyzer.analysis.conversations import KINDS, Conversation, Conversations, conversations_of, endpoints_of, reversed_key
from analyzer.capture.capture_reader import CaptureReader
from analyzer.flows.fragments import Defragmenter
from analyzer.packet.layer_places import LayerPlaces

SYN, SYN_ACK, ACK = 0x02, 0x12, 0x10


def count(path: Path, counted: Conversations | None = None) -> Conversations:
    counted, layers, defragmenter = counted or Conversations(), LayerPlaces(), Defragmenter()
    for reader in CaptureReader([str(path)]).packet_readers():
        frame = reader.frame
        while reader.advance():
            if layers.find(frame.data, frame.start, frame.end, frame.link_type, frame.wire_length):
                datagram = defragmenter.feed(layers.packet, frame.at, frame.number)
                if datagram is not None:
                    layers.find_rest(datagram)
            counted.count(layers, frame)
    return counted


def segment(flags: int, sequence: int, back: bool = False, ttl: int = 64) -> bytes:
    ports = (443, 40000) if back else (40000, 443)
    ends = (b"\xc0\0\2\2", b"\xc0\0\2\1") if back else (b"\xc0\0\2\1", b"\xc0\0\2\2")
    tcp = struct.pack("!HHIIBBHHH", *ports, sequence, 1, 0x50, flags, 1000, 0, 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, ttl, 6, 0, *ends)
    return b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + ip + tcp


def fragment(offset: int, more: bool, payload: bytes) -> bytes:
    flags = offset // 8 | (0x2000 if more else 0)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 7, flags, 64, 17, 0, b"\xc0\0\2\1", b"\xc0\0\2\2")
    return b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + head + payload


def write(path: Path, *packets: bytes) -> Path:
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    records = (struct.pack("<IIII", at, 0, len(one), len(one)) + one for at, one in enumerate(packets, 1))
    path.write_bytes(head + b"".join(records))
    return path


def test_every_kind_of_the_demonstration(repository: Path):
    counted = count(repository / "captures" / "demo.pcapng")
    assert [len(list(conversations_of(counted, kind))) for kind in KINDS] == [3, 7, 1, 9, 7]
    for kind, n_packets in zip(KINDS, (213, 185, 24, 189, 14), strict=True):
        assert sum(sum(one.packets) for one in conversations_of(counted, kind)) == n_packets
        ends = endpoints_of(counted, kind)
        assert sum(one.sent_packets for one in ends) == sum(one.received_packets for one in ends) == n_packets
    first = next(iter(conversations_of(counted, "tcp")))
    assert (first.source, first.destination, first.packets) == (("192.0.2.10", 49202), ("198.51.100.20", 80), (6, 4))


def test_a_syn_with_another_number_begins_a_conversation(tmp_path: Path):
    again = segment(SYN, 100), segment(SYN, 100), segment(SYN_ACK, 7, back=True), segment(SYN, 900), segment(ACK, 901)
    found = list(conversations_of(count(write(tmp_path / "a.pcap", *again)), "tcp"))
    assert [(one.stream, one.packets, one.first_frame) for one in found] == [(0, (2, 1), 1), (1, (2, 0), 4)]


def test_a_fragment_counts_for_its_addresses_and_for_ports_when_it_completes_the_datagram(tmp_path: Path):
    udp = struct.pack("!HHHH", 53, 5353, 24, 0) + bytes(16)
    counted = count(write(tmp_path / "a.pcap", fragment(0, True, udp[:16]), fragment(16, False, udp[16:])))
    assert [sum(one.packets) for one in conversations_of(counted, "ipv4")] == [2]
    assert [(sum(one.packets), one.source[1]) for one in conversations_of(counted, "udp")] == [(1, 53)]


def test_what_an_icmp_error_quotes_does_not_count(tmp_path: Path):
    quoted = segment(SYN, 1)[14:]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(quoted), 1, 0, 64, 1, 0, b"\xc0\0\2\3", b"\xc0\0\2\1")
    frame = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + head + b"\x03\x01\0\0\0\0\0\0" + quoted
    counted = count(write(tmp_path / "a.pcap", frame))
    assert [one.source[0] for one in conversations_of(counted, "ipv4")] == ["192.0.2.3"]
    assert list(conversations_of(counted, "tcp")) == []


def test_only_what_is_wanted_is_counted(repository: Path):
    counted = count(repository / "captures" / "demo.pcapng", Conversations(1 << KINDS.index("udp")))
    assert [kind for kind in KINDS if list(conversations_of(counted, kind))] == ["udp"]


def test_who_sends_to_itself_has_sent_and_received(tmp_path: Path):
    frame = segment(SYN, 1).replace(b"\xc0\0\2\2", b"\xc0\0\2\1")
    counted = count(write(tmp_path / "a.pcap", frame))
    assert [(one.sent_packets, one.received_packets) for one in endpoints_of(counted, "ipv4")] == [(1, 1)]


@pytest.mark.parametrize(
    ("place", "key"), [(0, bytes(range(12))), (1, bytes(range(8))), (3, bytes(range(12))), (4, bytes(range(36)))]
)
def test_a_key_reversed_twice_is_the_same(place: int, key: bytes):
    assert reversed_key(reversed_key(key, place), place) == key != reversed_key(key, place)


@pytest.mark.skipif(module.COMPILED, reason="the bound is a constant in C")
def test_a_flood_of_addresses_is_bounded(repository: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MOST", 3)
    counted = count(repository / "captures" / "demo.pcapng")
    tcp: list[Conversation] = list(conversations_of(counted, "tcp"))
    beyond = counted.beyond[KINDS.index("tcp")]
    assert len(tcp) == 3
    assert beyond + sum(sum(one.packets) for one in tcp) == 189
