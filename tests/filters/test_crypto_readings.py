"""How often TLS is read in packets of QUIC: what continues the stream at once, and what was put into its order together."""

import pytest

from analyzer.filters import crypto_readings
from analyzer.filters.crypto_readings import _Stream
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
    monkeypatch.setattr(crypto_readings, "MAX_FRAMES", 3)
    assert not any(reads((5, 1), (7, 1), (9, 1), (0, 20)))


def test_each_crypto_frame_of_a_handshake_has_the_protocol(repository):
    (path,) = (repository / "captures" / "quic-http3").glob("*.pcap*")
    (keys,) = path.parent.glob("*.keys")
    found = list(readings(path, fields_of("tls", "frame.protocols", "quic"), keys, engine=True))
    assert [len(row[0]) for row in found[:4]] == [1, 2, 1, 0]
    assert found[1][1] == ["eth:ethertype:ip:udp:quic:tls:tls"]
    assert [len(row[2]) for row in found[:4]] == [2, 2, 1, 3]
