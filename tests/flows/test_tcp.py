"""TCP reassembly: whatever happens to segments on their way, sessions are those of the ordered capture or say what lacks."""

import random
from dataclasses import replace

import pytest
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
    handshake_types,
    packetise,
    records,
    stream,
    talk,
    timeless,
)

from analyzer.flows import tcp
from analyzer.flows.sink import Sink
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet

VERSIONS = ("TLSv1_2", "TLSv1_3")


class Recorder(Sink):
    """Everything that a connection's reader hears."""

    def __init__(self):
        self.wanted = True
        self.streams = [b"", b""]
        self.frames = [[], []]
        self.gaps = []
        self.conflicts = []
        self.closed = []

    def feed(self, side, data, start, end, offset, frame, at):
        assert not self.closed
        assert start < end
        lacking = sum(length for who, _, length, _ in self.gaps if who == side)
        assert offset == len(self.streams[side]) + lacking
        self.streams[side] += data[start:end]
        self.frames[side].append((offset, end - start, frame))

    def gap(self, side, offset, length, frame, at):
        assert length > 0
        self.gaps.append((side, offset, length, frame))

    def conflict(self, side, offset, first, second, frame, at):
        assert len(first) == len(second)
        self.conflicts.append((side, offset, first, second, frame))

    def close(self, reason, frame, at):
        self.closed.append(reason)


class Watch(tcp.Listener):
    """A connection's reader for each connection."""

    def __init__(self):
        super().__init__()
        self.sinks = []

    def open(self, connection):
        self.sinks.append(Recorder())
        return self.sinks[-1]


def reassemble(segments, apart=1_000_000):
    """What the readers of all connections heard; frames count from 1."""
    watch = Watch()
    connections = tcp.Connections(watch)
    packet = Packet()
    at = 0
    for number, segment in enumerate(segments, 1):
        data = segment.frame()
        at += apart
        assert read(packet, data, 0, len(data) - segment.cut, 1, len(data))
        connections.feed(packet, number, at)
    connections.close(len(segments), at)
    assert all(len(sink.closed) == 1 for sink in watch.sinks)
    return watch.sinks


def syn(sequence, **changes):
    return Segment(CLIENT, sequence, 0, SYN, **changes)


def client(sequence, payload, **changes):
    return Segment(CLIENT, sequence, 1, ACK, payload, **changes)


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


def unordered(found):
    """Records without the order of messages and alerts."""
    plain = [timeless(record) for record in found]
    for record in plain:
        record["handshake"].sort(key=repr)
        record["alerts"].sort(key=repr)
    return plain


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
            rest.insert(chance.randrange(len(rest)), replace(again, sequence=again.sequence + cut, payload=again.payload[cut:]))
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


def test_one_direction_on_another_vlan_is_the_same_connection():
    segments = packetise(talk())
    tagged = [segment.moved if segment.side == SERVER else segment for segment in segments]
    assert records(tagged) == records(segments)


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
                "after_frame": before[-1] if before else 0,
            }
        ]
        other = ("server", "client")[lost.side]
        kept = {message for message in whole if message[1] == other}
        assert kept <= set(handshake_types(record))


def test_a_hole_is_filled_by_the_frame_that_comes_last():
    sinks = reassemble([syn(9), client(10, b"aa"), client(14, b"cc"), client(12, b"bb"), client(16, b"dd")])
    assert sinks[0].streams[CLIENT] == b"aabbccdd"
    assert sinks[0].frames[CLIENT] == [(0, 2, 2), (2, 2, 4), (4, 2, 4), (6, 2, 5)]


def test_conflicting_copies_first_wins_both_are_told():
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
    assert record["server_name"] == "example.test"


def test_keep_alive_and_window_probes():
    probes = [client(11, b"\0"), client(11, b""), client(12, b"c"), client(12, b"c"), client(12, b"\0")]
    sinks = reassemble([syn(9), client(10, b"ab"), *probes, client(12, b"cdef")])
    assert sinks[0].streams[CLIENT] == b"abcdef"
    assert sinks[0].conflicts == []


def test_data_in_a_syn_and_the_syn_again_without():
    sinks = reassemble([syn(9, payload=b"ab"), syn(9), client(10, b"abcd")])
    assert len(sinks) == 1
    assert sinks[0].streams[CLIENT] == b"abcd"


def test_a_late_syn_belongs_to_the_bytes_it_begins():
    segments = packetise(talk())
    late = [segments[0], segments[2], *segments[3:5], segments[1], *segments[5:]]
    assert unordered(records(late)) == unordered(records(segments))
    server_first = [*segments[:1], *segments[2:6], segments[1], *segments[6:]]
    assert unordered(records(server_first)) == unordered(records(segments))


def test_without_the_answer_to_the_syn_its_first_segments_may_still_be_swapped():
    segments = packetise(talk(), mss=100)
    ordered = unordered(records(segments))
    del segments[1]
    first = next(index for index, segment in enumerate(segments) if segment.side == SERVER)
    segments[first], segments[first + 1] = segments[first + 1], segments[first]
    assert unordered(records(segments)) == ordered


def test_the_answer_alone_tells_who_opened():
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


def test_refused_and_tried_again_with_the_same_number():
    segments = packetise(talk())
    refusal = Segment(SERVER, 0, 1001, RST | ACK)
    ordered = unordered(records(segments))
    for apart in (1_000_000, SECOND):
        tap = Tap()
        tap.feed(segments[0], refusal, apart=3 * apart)
        tap.feed(*segments, apart=apart)
        assert unordered(tap.records()) == ordered


def test_a_reset_ends_but_stragglers_count():
    segments = packetise(talk(), fin=False)
    reset = Segment(SERVER, segments[-1].sequence, 0, RST)
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


@pytest.mark.parametrize("late", [True, False])
def test_a_fin_out_of_order(late):
    sent = [syn(9), client(10, b"ab"), Segment(CLIENT, 14, 1, FIN | ACK), client(12, b"cd")]
    sinks = reassemble(sent if late else sent[:3])
    assert sinks[0].streams[CLIENT] == (b"abcd" if late else b"ab")
    assert sinks[0].gaps == ([] if late else [(CLIENT, 2, 2, 2)])


def to_himself(segment):
    """The segment's frame with the destination as its source, address and port."""
    data = bytearray(segment.frame())
    data[26:30] = data[30:34]
    data[34:36] = data[36:38]
    return bytes(data)


def test_both_ends_the_same_are_one_side():
    watch = Watch()
    connections = tcp.Connections(watch)
    packet = Packet()
    for number, segment in enumerate([syn(9), client(12, b"cd"), client(10, b"ab")], 1):
        data = to_himself(segment)
        read(packet, data, 0, len(data), 1, len(data))
        connections.feed(packet, number, number)
    [sink] = watch.sinks
    assert sink.streams == [b"abcd", b""]


def test_cut_by_the_snapshot_length_is_a_gap():
    sinks = reassemble([syn(9), client(10, b"abcdef", cut=2), client(16, b"gh")])
    assert sinks[0].streams[CLIENT] == b"abcdgh"
    assert sinks[0].gaps == [(CLIENT, 4, 2, 2)]


def test_a_hole_that_was_acknowledged_is_given_up():
    sent = [syn(9), client(10, b"ab"), client(13, b"d")]
    sent += [Segment(SERVER, 1, 13 + index, ACK) for index in range(2)]
    sent += [client(14 + index, b"x") for index in range(tcp.ACKNOWLEDGED_SEGMENTS)]
    sinks = reassemble(sent)
    assert sinks[0].gaps == [(CLIENT, 2, 1, 2)]
    assert sinks[0].streams[CLIENT] == b"abd" + b"x" * tcp.ACKNOWLEDGED_SEGMENTS


def test_segments_behind_holes_are_limited_and_the_limit_is_told():
    segments = packetise(talk(), fin=False)
    after = segments[-1].sequence + 1000
    flood = [replace(segments[-1], sequence=after + 3 * index, payload=b"x") for index in range(tcp.PENDING_SEGMENTS + 50)]
    [record] = records(segments + flood)
    assert "limit" in [finding["code"] for finding in record["findings"]]


def test_waiting_bytes_of_all_connections_are_limited():
    watch = Watch()
    connections = tcp.Connections(watch)
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
            assert connections.pending <= tcp.PENDING_TOTAL
    assert watch.sinks[0].gaps  # the oldest holes go first
    assert not watch.sinks[-1].gaps
    connections.close(number, number)
    assert connections.pending == connections.history == 0


def test_more_connections_than_the_limit_close_the_silent_ones():
    tap = Tap()
    tap.feed(*packetise(talk(), fin=False))
    for number in range(tcp.OPEN_CONNECTIONS):
        opening = syn(5, ports=(500 + (number & 1), number >> 1))
        tap.feed_bytes(to_himself(opening) if number & 1 else opening.frame())
    assert tap.engine.connections.n_open <= tcp.OPEN_CONNECTIONS
    [record] = tap.records()
    assert [finding["code"] for finding in record["findings"]] == ["evicted"]


def test_an_idle_connection_is_closed_out_and_may_go_on():
    segments = packetise(talk(), fin=False)
    tap = Tap()
    tap.feed(*segments[:-4])
    tap.at += tcp.IDLE + SECOND
    other = syn(1, ports=(1, 2))
    for _ in range(65537):
        tap.feed(other)
    assert [session.closed for session in tap.engine.sessions.ended] == ["idle"]
    tap.feed(*segments[-4:])
    assert [record["decryption"]["reason"] for record in tap.records()] == ["no_secret", "no_handshake"]


def test_times_that_jump_change_no_bytes():
    segments = packetise(talk())
    ordered = [timeless(record) for record in records(segments)]
    for jumps in ((-(10**18), 10**18), (10**18, -(10**18)), (0, 0)):
        tap = Tap()
        for index, segment in enumerate(segments):
            tap.feed(segment)
            tap.at = max(-1, tap.at + jumps[index % 2])
        assert [timeless(record) for record in tap.records()] == ordered


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


def test_streams_are_whole_for_any_cut_of_the_bytes():
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


def test_connections_side_by_side_are_told_apart():
    both = zip(packetise(talk()), packetise(talk(), ports=(50001, 443)), strict=True)
    found = records([segment for pair in both for segment in pair])
    assert [record["client"]["port"] for record in found] == [50000, 50001]
    first, second = (timeless(record) for record in found)
    assert handshake_types(first) == handshake_types(second)


def test_connections_whose_ports_differ_alike_are_told_apart():
    pairs = [(50000, 443), (50000 + 256, 443 + 256), (50000 ^ 512, 443 ^ 512), (443, 50000)]
    flights = [packetise(talk(), ports=pair) for pair in pairs]
    sinks = reassemble([segment for segments in zip(*flights, strict=True) for segment in segments])
    assert len(sinks) == 4
    assert all(sink.streams == sinks[0].streams for sink in sinks)
