from pathlib import Path

import pytest

from analyzer.analysis import traffic as module
from analyzer.analysis.traffic import Traffic
from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.frame import Frame
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet


def count(path: Path, traffic: Traffic | None = None) -> Traffic:
    traffic, reader, packet = traffic or Traffic(), CaptureReader([str(path)]), Packet()
    frame = reader.frame
    for packet_reader in reader.packet_readers():
        while packet_reader.advance():
            read(packet, frame.data, frame.start, frame.end, frame.link_type, frame.wire_length)
            traffic.count(packet, frame)
    return traffic


@pytest.fixture
def demo(repository: Path) -> Traffic:
    return count(repository / "captures" / "demo.pcapng")


def test_every_packet_is_counted_once(demo: Traffic):
    assert demo.packets == 213
    links = [share for share in demo.shares() if share.depth == 0]
    assert [(share.label, share.n_packets, share.n_bytes) for share in links] == [("Ethernet", 213, demo.n_bytes)]


def test_parts_add_up_to_their_whole(demo: Traffic):
    shares = demo.shares()
    for at, share in enumerate(shares):
        inner = []
        for one in shares[at + 1 :]:
            if one.depth <= share.depth:
                break
            if one.depth == share.depth + 1:
                inner.append(one)
        assert sum(one.n_packets for one in inner) <= share.n_packets
        if inner and share.depth < 2:
            assert sum(one.n_packets for one in inner) in (share.n_packets, share.n_packets - 4)  # ARP has no parts


def test_conversations_have_both_directions(demo: Traffic):
    top = demo.top(100)
    assert len(top) == demo.conversations == 16
    (first, *_) = top
    assert first.source == ("192.0.2.10", 49206)
    assert first.destination == ("198.51.100.20", 443)
    assert all(sent > 0 for sent in first.packets)
    assert [sum(one.n_bytes) for one in top] == sorted((sum(one.n_bytes) for one in top), reverse=True)
    assert all(one.first <= one.last for one in top)


def test_tls_is_known_by_its_sessions_and_else_the_port_is_named(demo: Traffic):
    key = next(key for key, flow in demo.tcp.items() if flow.opened and key[-2:] == b"\x01\xbb")
    carried = {one.source: one.application for one in demo.top(100, [key])}
    assert list(carried.values()).count("TLS") == 1
    assert "DNS (port 53)" in carried.values()
    assert {one.application for one in demo.top(100) if 443 in (one.source[1], one.destination[1])} == {""}


def test_only_packets_with_payload_are_counted_as_tls(demo: Traffic):
    keys = [key for key, flow in demo.tcp.items() if flow.opened and key[-2:] == b"\x01\xbb"]
    flows = [flow for key in keys for flow in (demo.tcp[key], demo.tcp[key].peer) if flow is not None]
    filled = sum(flow.n_filled for flow in flows)
    tls = [share for share in demo.shares(keys) if share.label == "TLS"]
    assert sum(share.n_packets for share in tls) == filled < sum(flow.n_packets for flow in flows)
    demo.fold(0, keys)
    assert [share for share in demo.shares() if share.label == "TLS"] == tls


@pytest.mark.skipif(module.COMPILED, reason="the bound is a constant in C")
def test_conversations_beyond_the_limit_are_reported(repository: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_CONVERSATIONS", 3)
    traffic = count(repository / "captures" / "demo.pcapng")
    assert traffic.conversations == 3
    assert traffic.uncounted > 100
    assert traffic.packets == 213


def test_folded_conversations_stay_in_the_sums(repository: Path):
    whole, folded = (count(repository / "captures" / "demo.pcapng") for _ in range(2))
    keys = [key for key, flow in whole.tcp.items() if flow.opened][:2]
    folded.fold(8, keys)
    assert (folded.held, folded.conversations) == (8, 16)
    assert folded.shares(keys) == whole.shares(keys)
    assert len(folded.tcp) + len(folded.udp) == 16
    top = folded.top(100, keys)
    assert top[:2] == whole.top(2, keys)
    latest = sorted((one.last for one in whole.top(100)), reverse=True)
    assert {one.last for one in top[2:]} <= set(latest[:8])
    folded.fold(8, keys)
    assert folded.held == 8


def test_a_folded_conversation_that_goes_on_begins_again(repository: Path):
    path = repository / "captures" / "demo.pcapng"
    traffic = Traffic()
    for _ in range(3):
        count(path, traffic)
        traffic.fold(0)
        assert (traffic.held, traffic.tcp, traffic.udp) == (0, {}, {})
    once = {share.label: share.n_packets for share in count(path).shares()}
    assert {share.label: share.n_packets for share in traffic.shares()} == {label: 3 * n for label, n in once.items()}
    assert traffic.conversations == 3 * 16


@pytest.mark.corpus
def test_tunnels_fragments_and_damage_do_not_disturb_the_count(corpus: Path):
    tunnelled = malformed = 0
    for path in sorted([*corpus.glob("zeek/tunnels/*.pcap"), *corpus.glob("zeek/truncated/*.pcap")]):
        traffic = count(path)
        assert sum(share.n_packets for share in traffic.shares() if share.depth == 0) == traffic.packets
        tunnelled += traffic.tunnelled
        malformed += traffic.malformed
    assert tunnelled > 100
    assert malformed > 3


@pytest.mark.parametrize(
    ("payloads", "counted"),
    [
        ((b"\x16\x03\x01\0\5", b"rest of a record"), 2),
        ((b"220 mx\r\n", b"\x16\x03\x01\0\5"), 1),
        ((b"\x80\x2e\1\0\2", b"\x14"), 2),
        ((b"HTTP/1.1 400 Bad Request\r\n", b"x"), 0),
        ((b"\x16\x03", b""), 0),
    ],
)
def test_what_comes_before_the_first_record_is_not_counted_as_tls(payloads: tuple[bytes, ...], counted: int):
    traffic, frame, packet = Traffic(), Frame(), Packet()
    for payload in payloads:
        ip = b"\x45\0" + (40 + len(payload)).to_bytes(2, "big") + bytes(4) + b"\x40\6\0\0" + b"\xc0\0\2\1\xc0\0\2\2"
        data = ip + b"\xc0\0\1\xbb" + bytes(8) + b"\x50\x10" + bytes(6) + payload
        frame.data, frame.start, frame.end, frame.wire_length, frame.link_type = data, 0, len(data), len(data), 101
        read(packet, data, 0, len(data), 101, len(data))
        traffic.count(packet, frame)
    (key,) = (key for key, flow in traffic.tcp.items() if flow.opened)
    assert sum(share.n_packets for share in traffic.shares([key]) if share.label == "TLS") == counted
