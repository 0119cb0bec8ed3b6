"""The table of TCP connections: which packets belong to a connection, when it begins, and when and why it ends."""

import random

from conversations import (
    ACK,
    CLIENT,
    FIN,
    RST,
    SECOND,
    SERVER,
    SYN,
    Segment,
    Tap,
    ended,
    handshake_types,
    packetise,
    records,
    talk,
    timeless,
)
from reassembled import Watch, client, reassemble, syn, to_himself, unordered

from analyzer.flows import limits
from analyzer.flows.tcp import Connections
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet


def test_one_direction_on_another_vlan_is_the_same_connection():
    segments = packetise(talk())
    tagged = [segment.moved if segment.side == SERVER else segment for segment in segments]
    assert records(tagged) == records(segments)


def test_a_late_syn_belongs_to_the_bytes_it_begins():
    segments = packetise(talk())
    late = [segments[0], segments[2], *segments[3:5], segments[1], *segments[5:]]
    assert unordered(records(late)) == unordered(records(segments))
    server_first = [*segments[:1], *segments[2:6], segments[1], *segments[6:]]
    assert unordered(records(server_first)) == unordered(records(segments))


def test_a_syn_later_than_bytes_that_do_not_follow_it_is_not_inserted():
    segments = packetise(talk(), mss=200)
    place = [n for n, one in enumerate(segments) if one.side == SERVER and one.payload][2]
    late = [segments[0], segments[place], *segments[1:place], *segments[place + 1 :]]
    (record,) = records([one for one in late if one.side == SERVER])
    assert "injected_segment" not in [finding["code"] for finding in record["findings"]]


def test_the_syn_ack_alone_shows_the_originator():
    segments = packetise(talk())
    [record] = records(segments[1:])
    assert record["client"]["port"] == 50000
    assert unordered([record]) == unordered(records(segments))


def test_a_new_syn_is_a_new_connection():
    first, second = packetise(talk(), fin=False), packetise(talk("TLSv1_2"), isns=(77_000, 88_000))
    found = records(first + second)
    assert [record["version"] for record in found] == ["TLS 1.3", "TLS 1.2"]
    assert [record["id"] for record in found] == [0, 1]
    assert found[1]["first_frame"] == len(first) + 1
    assert found[0]["last_frame"] == len(first)


def test_a_syn_sent_again_is_not():
    segments = packetise(talk())
    again = [segments[0], segments[0], segments[1], segments[0], segments[1], *segments[2:]]
    assert [timeless(record) for record in records(again)] == [timeless(record) for record in records(segments)]


def test_rejected_and_tried_again_with_the_same_number():
    segments = packetise(talk())
    refusal = Segment(SERVER, 0, 1001, RST | ACK)
    ordered = unordered(records(segments))
    for apart in (1_000_000, SECOND):
        tap = Tap()
        tap.feed(segments[0], refusal, apart=3 * apart)
        tap.feed(*segments, apart=apart)
        assert unordered(tap.records()) == ordered


def test_a_reset_ends_but_late_packets_count():
    segments = packetise(talk(), fin=False)
    reset = Segment(SERVER, segments[-1].sequence + len(segments[-1].payload), 0, RST)
    straggling = [*segments[:-2], reset, *segments[-2:]]
    assert unordered(records(straggling)) == unordered(records(segments))


def test_bytes_long_after_a_reset_are_another_session():
    flights = talk("TLSv1_2")
    segments = packetise(flights, mss=60000, fin=False)
    reset = Segment(SERVER, segments[-1].sequence, 0, RST)
    tap = Tap()
    tap.feed(*segments[:8], reset)
    tap.at += 60 * SECOND
    tap.feed(syn(1, ports=(1, 2)))
    tap.feed(*segments[8:])
    first, second = tap.records()
    assert first["established"]
    assert second["decryption"]["reason"] == "no_handshake"


def test_both_ends_the_same_are_one_side():
    watch = Watch()
    connections = Connections(watch)
    packet = Packet()
    for number, segment in enumerate([syn(9), client(12, b"cd"), client(10, b"ab")], 1):
        data = to_himself(segment)
        read(packet, data, 0, len(data), 1, len(data))
        connections.feed(packet, number, number)
    [sink] = watch.sinks
    assert sink.streams == [b"abcd", b""]


def test_more_connections_than_the_limit_close_the_silent_ones():
    tap = Tap()
    tap.feed(*packetise(talk(), fin=False))
    for number in range(limits.OPEN_CONNECTIONS):
        opening = syn(5, ports=(500 + (number & 1), number >> 1))
        tap.feed_bytes(to_himself(opening) if number & 1 else opening.frame())
    assert tap.engine.connections.n_open <= limits.OPEN_CONNECTIONS
    [record] = tap.records()
    codes = [finding["code"] for finding in record["findings"] if finding["code"] != "post_quantum_accepted"]
    assert codes == ["evicted"]


def test_an_idle_connection_is_closed_and_may_continue():
    segments = packetise(talk(), fin=False)
    tap = Tap()
    tap.feed(*segments[:-4])
    tap.at += limits.IDLE + SECOND
    other = syn(1, ports=(1, 2))
    for _ in range(65537):
        tap.feed(other)
    assert [session.flow.closed for session in ended(tap.take())] == ["idle"]
    tap.feed(*segments[-4:])
    assert [record["decryption"]["reason"] for record in tap.records()] == ["no_secret", "no_handshake"]


def feed(connections, segments, at, last=0):
    """Feed segments that all came at one time, in the frames after `last`. Return the number of the last frame."""
    packet = Packet()
    for number, segment in enumerate(segments, last + 1):
        data = segment.frame()
        assert read(packet, data, 0, len(data), 1, len(data))
        connections.feed(packet, number, at)
    return last + len(segments)


def test_time_without_packets_ends_only_idle_connections():
    watch = Watch()
    connections = Connections(watch)
    begin = 1_700_000_000 * SECOND
    last = feed(connections, [syn(9), client(10, b"ab"), client(14, b"ef")], begin)
    last = feed(connections, [syn(9, ports=(1, 2))], begin + SECOND, last)
    first, second = watch.sinks
    for at in (0, begin, begin + limits.IDLE):
        connections.tick(at)
        assert first.closed == second.closed == []
    connections.tick(begin + limits.IDLE + 1)
    assert first.closed == ["idle"]
    assert first.streams[CLIENT] == b"abef"
    assert first.gaps == [(CLIENT, 2, 2, 2)]
    assert first.frames[CLIENT] == [(0, 2, 2), (4, 2, 3)]
    assert second.closed == []
    assert connections.n_open == 1
    feed(connections, [client(16, b"gh")], begin + limits.IDLE + 2, last)
    assert watch.sinks[2].streams[CLIENT] == b"gh"


def test_time_without_packets_ends_connections_that_wait_for_late_packets():
    watch = Watch()
    connections = Connections(watch)
    fins = [Segment(CLIENT, 10, 1, FIN | ACK), Segment(SERVER, 1, 11, FIN | ACK)]
    last = feed(connections, [syn(9), Segment(SERVER, 0, 10, SYN | ACK), *fins], SECOND)
    feed(connections, [syn(9, ports=(1, 2)), Segment(SERVER, 0, 10, RST | ACK, ports=(1, 2))], SECOND, last)
    connections.tick(SECOND + limits.LINGER - 1)
    assert [sink.closed for sink in watch.sinks] == [[], []]
    connections.tick(SECOND + limits.LINGER)
    assert [sink.closed for sink in watch.sinks] == [["fin"], ["rst"]]
    connections.tick(SECOND + 2 * limits.IDLE)
    connections.close(last, SECOND)
    assert [sink.closed for sink in watch.sinks] == [["fin"], ["rst"]]


def test_times_that_jump_change_no_bytes():
    segments = packetise(talk())
    ordered = [timeless(record) for record in records(segments)]
    for jumps in ((-(10**18), 10**18), (10**18, -(10**18)), (0, 0)):
        tap = Tap()
        for index, segment in enumerate(segments):
            tap.feed(segment)
            tap.at = max(-1, tap.at + jumps[index % 2])
        found = tap.records()
        for record in found:  # what is told of the times is about them
            record["findings"] = [one for one in record["findings"] if one["code"] not in ("time_goes_back", "clocks_differ")]
        assert [timeless(record) for record in found] == ordered


def test_no_frame_raises_whatever_its_bytes():
    segments = packetise(talk("TLSv1_2"))
    for seed in range(60):
        chance = random.Random(seed)
        tap = Tap()
        for segment in segments:
            data = bytearray(segment.frame())
            for _ in range(chance.choice((0, 0, 1, 5))):
                data[chance.randrange(len(data))] = chance.randrange(256)
            tap.feed_bytes(bytes(data), chance.choice((0, 0, 0, chance.randrange(len(data)))))
        tap.records()


def test_parallel_connections_are_distinguished():
    both = zip(packetise(talk()), packetise(talk(), ports=(50001, 443)), strict=True)
    found = records([segment for pair in both for segment in pair])
    assert [record["client"]["port"] for record in found] == [50000, 50001]
    first, second = (timeless(record) for record in found)
    assert handshake_types(first) == handshake_types(second)


def test_connections_with_the_same_slot_are_distinguished():
    pairs = [(50000, 443), (50000 + 256, 443 + 256), (50000 ^ 512, 443 ^ 512), (443, 50000)]
    flights = [packetise(talk(), ports=pair) for pair in pairs]
    sinks = reassemble([segment for segments in zip(*flights, strict=True) for segment in segments])
    assert len(sinks) == 4
    assert all(sink.streams == sinks[0].streams for sink in sinks)
