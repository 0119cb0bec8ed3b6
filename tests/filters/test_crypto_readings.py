"""How often TLS is read in packets of QUIC: what continues the stream at once, and what was put into its order together."""

from types import SimpleNamespace

import pytest

from analyzer.filters import crypto_readings
from analyzer.filters.crypto_readings import CryptoReadings, _Stream
from analyzer.tls.quic.frame_layout import CRYPTO, packet_frames
from analyzer.tls.quic.quic_events import PacketSeen
from tests.filters.field_readings import fields_of, readings


def reads(*frames):
    stream = _Stream()
    return [stream.add(start, start + length) for start, length in frames]


@pytest.mark.parametrize(
    ("frames", "count"),
    [
        ([(0, 36), (36, 133), (169, 126)], 3),
        ([(0, 155), (155, 33), (188, 8), (286, 22), (196, 90)], 4),
        ([(219, 40), (120, 99), (0, 120), (259, 33)], 2),
        ([(313, 13), (242, 59), (0, 242), (301, 12)], 1),
        ([(10, 5), (0, 5)], 0),
        ([(0, 10), (0, 10), (4, 6)], 1),
    ],
)
def test_frames_are_read_in_their_order(frames, count):
    assert sum(reads(*frames)) == count


def test_frames_that_wait_have_a_limit(monkeypatch):
    monkeypatch.setattr(crypto_readings, "MAX_WAITING", 3)
    assert not any(reads((5, 1), (7, 1), (9, 1), (0, 20)))


def test_the_places_are_those_of_all_frames():
    def varint(number):
        return (number | 0x4000).to_bytes(2)

    crypto = b"\6" + varint(300) + varint(5) + b"hello"
    stream = b"\x0e" + varint(4) + varint(7) + varint(3) + b"abc"
    cases = {
        crypto: [(300, 305)],
        b"\0\0\1" + crypto + b"\0" * 9 + crypto: [(300, 305), (300, 305)],
        stream + crypto: [(300, 305)],
        b"\x0a" + varint(4) + varint(3) + b"\6\6\6" + crypto + b"\x08" + varint(4) + crypto: [(300, 305)],
        b"\x02" + varint(9) + varint(0) + b"\0\0" + crypto: [(300, 305)],
        crypto[:-1]: [],
        crypto + crypto[:2]: [(300, 305)],
    }
    for plaintext, expected in cases.items():
        assert crypto_readings._places(plaintext) == expected, plaintext
        frames = packet_frames(plaintext)
        assert [crypto_readings._place(one) for one in frames if one.type == CRYPTO and one.whole] == expected


def test_frames_of_many_streams_that_wait_have_a_limit(monkeypatch):
    """Anybody can send Initial packets, whose keys are known, with frames that leave a hole."""
    monkeypatch.setattr(crypto_readings, "MAX_HELD", 8)
    found = CryptoReadings()
    crypto = b"".join(bytes((6, offset, 1, 0)) for offset in (2, 4, 6))
    for session in range(20):
        packet = PacketSeen(0, 0, SimpleNamespace(number=0, first=0, plaintext=crypto), b"", 0, 0, 1, 0)
        packet.session = session
        found.take(SimpleNamespace(events=[packet]))
        assert sum(len(stream.waiting) for stream in found._streams.values()) <= 8
    assert (19, 0, 0) in found._streams


def test_each_crypto_frame_of_a_handshake_has_the_protocol(repository):
    (path,) = (repository / "captures" / "quic-http3").glob("*.pcap*")
    (keys,) = path.parent.glob("*.keys")
    found = list(readings(path, fields_of("tls", "frame.protocols", "quic"), keys, engine=True))
    assert [len(row[0]) for row in found[:4]] == [1, 2, 1, 0]
    assert found[1][1] == ["eth:ethertype:ip:udp:quic:tls:tls"]
    assert [len(row[2]) for row in found[:4]] == [2, 2, 1, 3]
