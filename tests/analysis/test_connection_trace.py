"""Segments, options and times to live are kept by connection, within limits."""

import pytest
from frames_by_hand import ACK, SYN, Segment, datagram
from two_taps import CLIENT, HOUR, Sent, Tap, packets

from analyzer.analysis import connection_trace
from analyzer.analysis.connection_trace import PlaceTraces
from analyzer.capture.frame import Frame
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet


def traces(*frames: bytes, at: int = 1000) -> PlaceTraces:
    """The connections of these frames, a microsecond apart."""
    found, packet, frame = PlaceTraces(), Packet(), Frame()
    for number, data in enumerate(frames, 1):
        frame.number, frame.at = number, at + 1000 * number
        read(packet, data, 0, len(data), 1, len(data))
        found.count(packet, frame)
    return found


def test_positions_count_from_the_byte_behind_the_syn():
    frames = [Segment(sequence=0xFFFFFFF0, flags=SYN).frame()]
    frames += [Segment(sequence=0xFFFFFFF1, payload=b"a" * 100, hops=60).frame(), Segment(sequence=85, payload=b"b").frame()]
    (trace,) = traces(*frames).traces
    client, server = trace.directions
    assert (list(client.starts), list(client.lengths), list(client.frames)) == ([0, 100], [100, 1], [2, 3])
    assert (client.hops, client.other_hops, client.n_packets) == (64, 60, 3)
    assert client.opening is not None
    assert client.opening.number == 0xFFFFFFF0
    assert (server.n_packets, server.acknowledged) == (0, 0)


def test_options_of_both_syns_are_kept():
    tap = Tap(distance=0, delay=0, between=0, mss=1200)
    for one in packets([]):
        tap.see(one)
    (trace,) = traces(*(frame for _, frame in tap.frames)).traces
    assert [one.opening.mss for one in trace.directions if one.opening] == [1200, 1200]
    assert [one.opening.options for one in trace.directions if one.opening] == [(2, 1, 1, 4), (2, 1, 1, 4)]


def test_the_client_is_who_sent_the_syn_or_has_the_higher_port():
    answer = Segment(source=("198.51.100.7", 443), destination=("192.0.2.1", 40000), flags=SYN | ACK)
    (opened,) = traces(answer.frame()).traces
    (begun,) = traces(Segment(source=("198.51.100.7", 443), destination=("192.0.2.1", 40000), payload=b"x").frame()).traces
    for trace in (opened, begun):
        assert trace.key[-4:] == b"\x9c\x40\x01\xbb"
        assert trace.directions[1].n_packets == 1
        trace.turn()
        assert trace.key[-4:] == b"\x01\xbb\x9c\x40"
        assert trace.directions[0].n_packets == 1


def test_a_port_that_is_used_again_is_another_connection():
    first, second = Segment(sequence=100, flags=SYN), Segment(sequence=7_000_000, flags=SYN)
    found = traces(first.frame(), first.frame(), Segment(sequence=101, payload=b"x").frame(), second.frame())
    assert [trace.directions[0].n_packets for trace in found.traces] == [3, 1]


def test_equal_bytes_have_one_mark_and_cut_ones_none():
    found, packet, frame = PlaceTraces(), Packet(), Frame()
    frame.at = HOUR
    for number, cut in enumerate((0, 0, 3), 1):
        data = Segment(sequence=number * 100, payload=b"the same").frame()
        frame.number = number
        read(packet, data, 0, len(data) - cut, 1, len(data))
        found.count(packet, frame)
    marks = found.traces[0].directions[0].marks
    assert marks[0] == marks[1] != 0
    assert marks[2] == connection_trace.NO_MARK
    assert list(found.traces[0].directions[0].lengths) == [8, 8, 8]


def test_datagrams_have_no_positions():
    (trace,) = traces(datagram(b"one question"), datagram(b"another")).traces
    assert list(trace.directions[0].starts) + list(trace.directions[1].starts) == [0, 0]


def test_an_acknowledgement_gives_the_position_of_the_peer():
    ends = (("10.0.0.1", 50000), ("10.0.0.2", 443))
    (trace,) = traces(*(one.frame(ends, 64) for one in packets([(0, CLIENT, b"x" * 300)]))).traces
    assert trace.directions[0].acknowledged == 301  # the FIN counts too
    assert trace.directions[0].n_resets == 0


def test_what_is_beyond_the_limits_is_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connection_trace, "MAX_CONNECTIONS", 1)
    monkeypatch.setattr(connection_trace, "MAX_SEGMENTS", 2)
    frames = [Segment(sequence=number * 100, payload=b"x").frame() for number in range(4)]
    found = traces(*frames, Segment(source=("192.0.2.1", 40001), payload=b"x").frame())
    assert (len(found.traces), found.beyond, found.n_segments, found.left_out) == (1, 1, 2, 2)
    assert found.traces[0].directions[0].cut_at == 4000


def test_a_packet_without_ports_is_no_connection():
    sent = Sent(0, CLIENT, ACK, 0, 0).frame((("10.0.0.1", 1), ("10.0.0.2", 2)), 64)
    assert traces(sent[:30], b"", bytes(60)).traces == []
