"""The table of UDP flows: which datagrams belong to a flow, which reader gets them, and when a flow ends."""

import gc
import random
import struct
import weakref

import pytest

from analyzer.flows import limits
from analyzer.flows.listener import Listener
from analyzer.flows.sink import DatagramSink
from analyzer.flows.udp import UdpFlows
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
PORTS = (50000, 443)


def addresses(side, version=4, number=0):
    """Return source and destination of the datagrams that a side sends."""
    prefix = b"\x0a" if version == 4 else b"\x20\x01\x0d\xb8" + bytes(9)
    pair = [prefix + (2 * number + host).to_bytes(3, "big") for host in (1, 2)]
    return pair[side], pair[1 - side]


def datagram(side, payload, *, version=4, ports=PORTS, number=0, options=b""):
    """An Ethernet frame with one UDP datagram."""
    source, destination = addresses(side, version, number)
    udp = struct.pack(">HHHH", ports[side], ports[1 - side], 8 + len(payload), 0) + payload
    if version == 4:
        first = 0x45 + len(options) // 4
        head = (
            struct.pack(">BBHHHBBH4s4s", first, 0, 20 + len(options) + len(udp), 0, 0, 64, 17, 0, source, destination) + options
        )
    else:
        head = struct.pack(">IHBB16s16s", 6 << 28, len(udp), 17, 64, source, destination)
    return b"\x02\0\0\0\0\1\x02\0\0\0\0\2" + (b"\x08\x00" if version == 4 else b"\x86\xdd") + head + udp


class Recorder(DatagramSink):
    """A reader of a flow that keeps all calls."""

    def __init__(self, flow, wanted=True):
        self.wanted = wanted
        self.flow = flow
        self.datagrams = []
        self.closed = []

    def feed(self, side, data, start, end, missing, frame, at):
        assert not self.closed
        self.datagrams.append((side, data[start:end], missing, frame, at))

    def close(self, reason, frame, at):
        self.closed.append((reason, frame, at))


class Watch(Listener):
    """A listener that opens a `Recorder` for each flow."""

    def __init__(self, wanted=True):
        super().__init__()
        self.wanted = wanted
        self.sinks = []

    def open_datagrams(self, flow):
        self.sinks.append(Recorder(flow, self.wanted))
        return self.sinks[-1]


class Tap:
    """A table of flows that is fed complete frames, with one second between them by default."""

    def __init__(self, listener=None):
        self.watch = listener or Watch()
        self.flows = UdpFlows(self.watch)
        self.packet = Packet()
        self.number = 0
        self.at = START

    def feed(self, *frames, cut=0, apart=SECOND):
        for data in frames:
            self.number += 1
            self.at += apart
            assert read(self.packet, data, 0, len(data) - cut, 1, len(data))
            self.flows.feed(self.packet, self.number, self.at)

    def close(self):
        self.flows.close(self.number, self.at)
        assert self.flows.n_open == 0
        assert self.flows.sides == {}
        assert set(self.flows.recent) == {None}
        assert all(len(sink.closed) == 1 for sink in self.watch.sinks)
        return self.watch.sinks


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("first", [0, 1])
def test_both_directions_are_one_flow_and_side_0_sent_first(version, first):
    tap = Tap()
    tap.feed(*(datagram(side, b"%d" % side, version=version) for side in (first, 1 - first, 1 - first, first)))
    [sink] = tap.close()
    assert [(side, payload) for side, payload, *_ in sink.datagrams] == [
        (side ^ first, b"%d" % side) for side in (first, 1 - first, 1 - first, first)
    ]
    assert [(frame, at) for *_, frame, at in sink.datagrams] == [(n, START + n * SECOND) for n in (1, 2, 3, 4)]
    assert sink.closed == [("end", 4, START + 4 * SECOND)]


@pytest.mark.parametrize("version", [4, 6])
def test_a_flow_has_its_addresses_times_and_sizes(version):
    tap = Tap()
    tap.feed(datagram(0, b"abc", version=version), datagram(1, b"", version=version))
    tap.feed(datagram(0, b"defgh", version=version), cut=2)
    [sink] = tap.close()
    flow = sink.flow
    source, destination = addresses(0, version)
    assert flow.originator.key == source + destination + struct.pack(">HH", *PORTS)
    assert flow.responder.key == destination + source + struct.pack(">HH", *reversed(PORTS))
    assert (flow.originator.side, flow.responder.side) == (0, 1)
    assert (flow.originator.n_packets, flow.originator.n_bytes) == (2, 8)
    assert (flow.responder.n_packets, flow.responder.n_bytes) == (1, 0)
    assert (flow.first_frame, flow.last_frame) == (1, 3)
    assert (flow.start, flow.end) == (START + SECOND, START + 3 * SECOND)
    assert flow.closed == "end"
    assert flow.sink is None


def test_ip_options_and_another_version_of_ip():
    tap = Tap()
    tap.feed(datagram(0, b"a"), datagram(1, b"b", options=bytes(8)), datagram(0, b"c", options=bytes(4)))
    tap.feed(datagram(0, b"d", version=6))
    first, second = tap.close()
    assert [payload for _, payload, *_ in first.datagrams] == [b"a", b"b", b"c"]
    assert [payload for _, payload, *_ in second.datagrams] == [b"d"]


def test_an_empty_datagram_is_one():
    tap = Tap()
    tap.feed(datagram(0, b""))
    [sink] = tap.close()
    assert sink.datagrams == [(0, b"", 0, 1, START + SECOND)]


@pytest.mark.parametrize("cut", [1, 5, 6])
def test_a_truncated_datagram_is_passed_on_with_the_number_of_missing_bytes(cut):
    tap = Tap()
    tap.feed(datagram(0, b"abcdef"), cut=cut)
    tap.feed(datagram(1, b"gh"))
    [sink] = tap.close()
    assert [datagram[:3] for datagram in sink.datagrams] == [(0, b"abcdef"[: 6 - cut], cut), (1, b"gh", 0)]
    assert sink.flow.originator.n_bytes == 6


def test_a_flow_from_a_port_to_itself_has_one_side():
    data = bytearray(datagram(0, b"x"))
    data[26:30] = data[30:34]
    data[34:36] = data[36:38]
    tap = Tap()
    tap.feed(bytes(data), bytes(data))
    [sink] = tap.close()
    assert [side for side, *_ in sink.datagrams] == [0, 0]


@pytest.mark.parametrize("seed", range(4))
def test_parallel_flows_are_distinguished(seed):
    """The ports of many of them lead to the same slot of the recent sides."""
    chance = random.Random(seed)
    kinds = [
        {"version": version, "ports": ports, "number": number}
        for version in (4, 6)
        for ports in (PORTS, (PORTS[0] + 256, PORTS[1] + 256), (PORTS[0] ^ 512, PORTS[1] ^ 512), (443, 443), (443, 50001))
        for number in (0, 1)
    ]
    sent = [(chance.randrange(len(kinds)), chance.randrange(2), b"%d" % n) for n in range(600)]
    tap = Tap()
    tap.feed(*(datagram(side, payload, **kinds[kind]) for kind, side, payload in sent), apart=1)
    order = list(dict.fromkeys(kind for kind, *_ in sent))
    for kind, sink in zip(order, tap.close(), strict=True):
        expected = [(side, payload) for who, side, payload in sent if who == kind]
        originator = expected[0][0]
        assert [(side ^ originator, payload) for side, payload, *_ in sink.datagrams] == expected


def test_a_reader_that_wants_no_datagrams_gets_only_the_end():
    tap = Tap(Watch(wanted=False))
    tap.feed(datagram(0, b"abc"), datagram(1, b"d"))
    [sink] = tap.close()
    assert sink.datagrams == []
    assert sink.closed == [("end", 2, tap.at)]
    assert (sink.flow.originator.n_bytes, sink.flow.responder.n_bytes) == (3, 1)


def test_a_reader_may_stop_and_continue():
    tap = Tap()
    tap.feed(datagram(0, b"a"))
    [sink] = tap.watch.sinks
    sink.wanted = False
    tap.feed(datagram(0, b"b"), datagram(1, b"c"))
    sink.wanted = True
    tap.feed(datagram(1, b"d"))
    tap.close()
    assert [payload for _, payload, *_ in sink.datagrams] == [b"a", b"d"]


def test_a_listener_that_does_not_ask_for_datagrams_gets_none():
    tap = UdpFlows(Listener())
    packet = Packet()
    data = datagram(0, b"a")
    read(packet, data, 0, len(data), 1, len(data))
    tap.feed(packet, 1, START)
    [flow] = {side.flow for side in tap.sides.values()}
    assert not flow.sink.wanted
    tap.close(1, START)
    assert flow.closed == "end"


def test_time_without_packets_ends_idle_flows():
    tap = Tap()
    tap.feed(datagram(0, b"a"), datagram(0, b"b", number=1))
    first, second = tap.watch.sinks
    for at in (0, tap.at, START + SECOND + limits.UDP_IDLE):
        tap.flows.tick(at)
        assert first.closed == second.closed == []
    tap.flows.tick(START + SECOND + limits.UDP_IDLE + 1)
    assert first.closed == [("idle", 1, START + SECOND)]
    assert first.flow.closed == "idle"
    assert second.closed == []
    assert tap.flows.n_open == 1
    tap.feed(datagram(1, b"c"))
    *_, third = tap.close()
    assert third.datagrams == [(0, b"c", 0, 3, tap.at)], "what comes later begins another flow"
    assert second.closed[0][0] == "end"


def test_packets_end_idle_flows_too():
    tap = Tap()
    tap.feed(datagram(0, b"a"))
    tap.at += limits.UDP_IDLE
    other = datagram(0, b"b", number=1)
    tap.feed(*[other] * limits.SWEEP_PACKETS, apart=1)
    first, second = tap.watch.sinks
    assert first.closed == [("idle", 1, START + SECOND)]
    assert second.closed == []


def test_more_flows_than_the_limit_end_the_silent_ones_first():
    tap = Tap()
    data = bytearray(datagram(0, b"a"))
    for number in range(limits.UDP_FLOWS):
        data[26:30] = (number + (10 << 24)).to_bytes(4, "big")
        tap.feed(bytes(data), apart=1)
    assert tap.flows.n_open == limits.UDP_FLOWS
    assert tap.flows.evicted == 0
    data[26:30] = (10 << 24).to_bytes(4, "big")
    tap.feed(bytes(data), datagram(0, b"b", ports=(1, 2)), apart=1)
    quarter = limits.UDP_FLOWS // 4 + 1
    assert tap.flows.evicted == quarter
    assert tap.flows.n_open == limits.UDP_FLOWS - quarter + 1
    sinks = tap.watch.sinks
    assert sinks[0].closed == [], "the oldest spoke last"
    assert [sink.closed[0][0] for sink in sinks[1 : quarter + 1]] == ["evicted"] * quarter
    assert not any(sink.closed for sink in sinks[quarter + 1 :])


def test_what_readers_keep_is_limited():
    tap = Tap()
    tap.feed(datagram(0, b"a"), datagram(0, b"b", number=1))
    tap.watch.held = limits.HELD_TOTAL + 1
    tap.feed(datagram(0, b"c"))
    first, second = tap.watch.sinks
    assert first.closed == []
    assert second.closed == [("evicted", 2, START + 2 * SECOND)]


def test_an_ended_flow_is_freed_without_the_collector():
    class Kept(DatagramSink):
        """A reader with a reference to its flow, as usual."""

        def __init__(self, flow):
            self.wanted = True
            self.flow = flow

    class Keeper(Listener):
        """A listener with weak references to all readers."""

        def open_datagrams(self, flow):
            sink = Kept(flow)
            readers.append(weakref.ref(sink))
            return sink

    readers = []
    flows = UdpFlows(Keeper())
    packet = Packet()
    data = datagram(0, b"a")
    read(packet, data, 0, len(data), 1, len(data))
    gc.disable()
    try:
        flows.feed(packet, 1, START)
        flows.tick(START + limits.UDP_IDLE + 1)
        assert [reader() for reader in readers] == [None]
    finally:
        gc.enable()


def test_times_that_jump_back_end_nothing():
    tap = Tap()
    tap.feed(datagram(0, b"a"))
    for jump in (-(10**18), 10**18, 0):
        tap.at = max(-1, tap.at + jump)
        tap.feed(datagram(1, b"b"))
    [sink] = tap.close()
    assert len(sink.datagrams) == 4


def test_no_frame_raises_whatever_its_bytes():
    for seed in range(300):
        chance = random.Random(seed)
        tap = Tap()
        for _ in range(20):
            data = bytearray(datagram(chance.randrange(2), bytes(30), version=chance.choice((4, 6))))
            for _ in range(chance.choice((0, 1, 5))):
                data[chance.randrange(len(data))] = chance.randrange(256)
            cut = chance.choice((0, 0, chance.randrange(len(data))))
            if read(tap.packet, bytes(data), 0, len(data) - cut, 1, len(data)) and tap.packet.protocol == 17:
                tap.flows.feed(tap.packet, 1, START)
        tap.close()


def test_flows_follow_a_clock_that_is_set():
    day = 86_400 * SECOND
    tap = Tap()
    tap.feed(datagram(0, b"a"))
    tap.flows.set_clock(tap.at, tap.at + day)
    tap.flows.tick(tap.at + day + SECOND)
    assert tap.flows.n_open == 1
    tap.flows.set_clock(tap.at + day, tap.at)
    tap.flows.tick(tap.at + limits.UDP_IDLE + 1)
    assert tap.flows.n_open == 0
