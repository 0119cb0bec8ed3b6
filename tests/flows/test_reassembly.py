"""Reassembly of one endpoint: for any order of its segments, the stream is the same, or reports what is missing."""

import random
from dataclasses import replace

import pytest
from conversations import (
    ACK,
    CLIENT,
    FIN,
    SERVER,
    Segment,
    handshake_types,
    packetise,
    records,
    stream,
    talk,
    timeless,
)
from reassembled import Watch, client, reassemble, syn, unordered

from analyzer.flows import limits
from analyzer.flows.tcp import Connections
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet

VERSIONS = ("TLSv1_2", "TLSv1_3")


@pytest.mark.parametrize("version", VERSIONS)
def test_neighbours_of_one_side_swapped_lose_nothing(version):
    segments = packetise(talk(version), mss=60)
    ordered = [timeless(record) for record in records(segments)]
    for index in range(3, len(segments) - 1):
        if segments[index].side == segments[index + 1].side:
            swapped = [*segments[:index], segments[index + 1], segments[index], *segments[index + 2 :]]
            assert [timeless(record) for record in records(swapped)] == ordered, index


@pytest.mark.parametrize("version", VERSIONS)
def test_swapped_across_the_sides_only_the_order_of_messages_changes(version):
    segments = packetise(talk(version))
    ordered = unordered(records(segments))
    for index in range(len(segments) - 1):
        swapped = [*segments[:index], segments[index + 1], segments[index], *segments[index + 2 :]]
        assert unordered(records(swapped)) == ordered, index


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("seed", range(12))
def test_shuffled_in_windows_with_duplicates_and_overlaps(version, seed):
    chance = random.Random(seed)
    flights = talk(version)
    ordered = unordered(records(packetise(flights)))
    isns = (chance.getrandbits(32), 0xFFFFFFFF - chance.randrange(3000))
    segments = packetise(flights, mss=chance.choice((50, 100, 700)), isns=isns)
    opening, rest = segments[:3], segments[3:]
    for _ in range(10):
        again = chance.choice(rest)
        cut = chance.randrange(len(again.payload) + 1)
        if again.payload[cut:] and not again.flags & FIN:
            rest.insert(
                chance.randrange(len(rest)),
                replace(again, sequence=again.sequence + cut, payload=again.payload[cut:]),
            )
    window = chance.choice((2, 4, 8))
    places = sorted((index + chance.random() * window, index) for index in range(len(rest)))
    assert unordered(records(opening + [rest[index] for _, index in places])) == ordered


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mss", [1, 3, (1, 1400), (1400, 1), 60000])
@pytest.mark.parametrize("isns", [(1000, 900_000), (0xFFFFFFFF, 0xFFFFFF00)])
def test_segment_sizes_and_wrapping_sequence_numbers_change_nothing(version, mss, isns):
    flights = talk(version, (300,))
    ordered = [timeless(record) for record in records(packetise(flights))]
    assert [timeless(record) for record in records(packetise(flights, mss=mss, isns=isns))] == ordered


@pytest.mark.parametrize("version", VERSIONS)
def test_each_segment_lost_is_a_gap_and_the_rest_is_read(version):
    segments = packetise(talk(version), mss=100)
    whole = set(handshake_types(records(segments)[0]))
    for index, lost in enumerate(segments):
        [record] = records(segments[:index] + segments[index + 1 :])
        if not lost.payload:
            assert record["gaps"] == []
            continue
        offset = lost.sequence - (1001, 900_001)[lost.side]
        before = [number for number, segment in enumerate(segments[:index], 1) if segment.side == lost.side and segment.payload]
        assert record["gaps"] == [
            {
                "from": ("client", "server")[lost.side],
                "offset": offset,
                "length": len(lost.payload),
                "after_frame": before[-1] if before else None,
            }
        ]
        other = ("server", "client")[lost.side]
        kept = {message for message in whole if message[1] == other}
        assert kept <= set(handshake_types(record))


def test_a_hole_is_filled_by_the_frame_that_comes_last():
    sinks = reassemble([syn(9), client(10, b"aa"), client(14, b"cc"), client(12, b"bb"), client(16, b"dd")])
    assert sinks[0].streams[CLIENT] == b"aabbccdd"
    assert sinks[0].frames[CLIENT] == [(0, 2, 2), (2, 2, 4), (4, 2, 4), (6, 2, 5)]


def test_conflicting_copies_first_wins_both_are_reported():
    sinks = reassemble([syn(9), client(10, b"abcd"), client(12, b"XYef"), client(10, b"abXYefgh")])
    assert sinks[0].streams[CLIENT] == b"abcdefgh"
    assert sinks[0].conflicts == [(CLIENT, 2, b"cd", b"XY", 3), (CLIENT, 0, b"abcd", b"abXY", 4)]


def test_conflicting_copies_behind_a_hole():
    waiting = [client(12, b"cd"), client(16, b"gh"), client(11, b"bXYefZZi")]
    sinks = reassemble([syn(9), *waiting, client(10, b"a")])
    assert sinks[0].streams[CLIENT] == b"abcdefghi"
    assert sinks[0].conflicts == [(CLIENT, 2, b"cd", b"XY", 4), (CLIENT, 6, b"gh", b"ZZ", 4)]


def test_a_conflict_in_the_hello_itself_reaches_the_session():
    segments = packetise(talk(), mss=60)
    hello = [segment for segment in segments[3:] if segment.side == CLIENT][:3]
    forged = replace(hello[1], payload=bytes(60))
    [record] = records([*segments[:3], hello[1], forged, hello[0], hello[2], *segments[6:]])
    [finding] = [finding for finding in record["findings"] if finding["code"] == "conflicting_segments"]
    assert finding["frames"] == [5]
    assert finding["detail"].startswith("60 bytes at 60 of the client's stream were sent again")
    assert record["server_name"] == "example.test"


def test_a_conflict_of_one_byte_is_said_in_the_singular():
    segments = packetise(talk(), mss=60)
    hello = [segment for segment in segments[3:] if segment.side == CLIENT][:3]
    forged = replace(hello[1], payload=bytes([hello[1].payload[0] ^ 1]))
    [record] = records([*segments[:3], hello[1], forged, hello[0], hello[2], *segments[6:]])
    [finding] = [finding for finding in record["findings"] if finding["code"] == "conflicting_segments"]
    assert finding["detail"].startswith("1 byte at 60 of the client's stream was sent again")


def test_keep_alive_and_window_probes():
    probes = [client(11, b"\0"), client(11, b""), client(12, b"c"), client(12, b"c"), client(12, b"\0")]
    sinks = reassemble([syn(9), client(10, b"ab"), *probes, client(12, b"cdef")])
    assert sinks[0].streams[CLIENT] == b"abcdef"
    assert sinks[0].conflicts == []


def test_data_in_a_syn_and_the_syn_again_without():
    sinks = reassemble([syn(9, payload=b"ab"), syn(9), client(10, b"abcd")])
    assert len(sinks) == 1
    assert sinks[0].streams[CLIENT] == b"abcd"


def test_without_the_syn_ack_the_first_segments_may_still_be_swapped():
    segments = packetise(talk(), mss=100)
    ordered = unordered(records(segments))
    del segments[1]
    first = next(index for index, segment in enumerate(segments) if segment.side == SERVER)
    segments[first], segments[first + 1] = segments[first + 1], segments[first]
    assert unordered(records(segments)) == ordered


@pytest.mark.parametrize("late", [True, False])
def test_a_fin_out_of_order(late):
    sent = [syn(9), client(10, b"ab"), Segment(CLIENT, 14, 1, FIN | ACK), client(12, b"cd")]
    sinks = reassemble(sent if late else sent[:3])
    assert sinks[0].streams[CLIENT] == (b"abcd" if late else b"ab")
    assert sinks[0].gaps == ([] if late else [(CLIENT, 2, 2, 2)])


def test_a_fin_before_all_bytes_of_a_stream_whose_syn_is_missing():
    sinks = reassemble([Segment(CLIENT, 14, 1, FIN | ACK), client(10, b"ab"), client(12, b"cd")])
    assert sinks[0].streams[CLIENT] == b"abcd"
    assert sinks[0].gaps == []


def test_truncation_by_the_snapshot_length_is_a_gap():
    sinks = reassemble([syn(9), client(10, b"abcdef", cut=2), client(16, b"gh")])
    assert sinks[0].streams[CLIENT] == b"abcdgh"
    assert sinks[0].gaps == [(CLIENT, 4, 2, 2)]


def test_a_hole_that_was_acknowledged_is_given_up():
    sent = [syn(9), client(10, b"ab"), client(13, b"d")]
    sent += [Segment(SERVER, 1, 13 + index, ACK) for index in range(2)]
    sent += [client(14 + index, b"x") for index in range(limits.ACKNOWLEDGED_SEGMENTS)]
    sinks = reassemble(sent)
    assert sinks[0].gaps == [(CLIENT, 2, 1, 2)]
    assert sinks[0].streams[CLIENT] == b"abd" + b"x" * limits.ACKNOWLEDGED_SEGMENTS


def test_segments_behind_holes_are_limited_and_the_limit_is_reported():
    segments = packetise(talk(), fin=False)
    after = segments[-1].sequence + 1000
    flood = [replace(segments[-1], sequence=after + 3 * index, payload=b"x") for index in range(limits.PENDING_SEGMENTS + 50)]
    [record] = records(segments + flood)
    assert "limit" in [finding["code"] for finding in record["findings"]]


def test_pending_bytes_of_all_connections_are_limited():
    watch = Watch()
    connections = Connections(watch)
    packet = Packet()
    payload = bytes(60000)
    number = 0
    for connection in range(30):
        ports = (1000 + connection, 443)
        for segment in [syn(0, ports=ports)] + [client(10 + 60001 * n, payload, ports=ports) for n in range(60)]:
            number += 1
            data = segment.frame()
            read(packet, data, 0, len(data), 1, len(data))
            connections.feed(packet, number, number)
            assert connections.reassembler.pending <= limits.PENDING_TOTAL
    assert watch.sinks[0].gaps  # the oldest holes go first
    assert not watch.sinks[-1].gaps
    connections.close(number, number)
    assert connections.reassembler.pending == connections.reassembler.history == 0


def test_streams_are_complete_for_any_segmentation():
    flights = talk("TLSv1_2")
    for seed in range(20):
        chance = random.Random(seed)
        data = stream(flights, SERVER)
        pieces = []
        for _ in range(200):
            start = chance.randrange(len(data))
            pieces.append(client(10 + start, data[start : start + chance.randrange(1, 200)]))
        pieces += [client(10 + start, data[start : start + 150]) for start in range(0, len(data), 150)]
        chance.shuffle(pieces)
        sinks = reassemble([syn(9), *pieces])
        assert sinks[0].streams[CLIENT] == data
        assert not sinks[0].gaps
        assert not sinks[0].conflicts
