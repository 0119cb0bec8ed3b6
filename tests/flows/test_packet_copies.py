"""The same packet twice in a capture: which packets are copies, and what a connection with copies looks like."""

import struct
from dataclasses import replace
from typing import Any

import pytest
from frames_by_hand import ACK, CLIENT, PSH, RST, SERVER, START, SYN, Segment, answer, datagram, write

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.flows import packet_copies
from analyzer.flows.connection import Connection
from analyzer.flows.listener import Listener
from analyzer.flows.packet_copies import SOON, WINDOW, PacketCopies
from analyzer.flows.sink import Sink
from analyzer.flows.tcp import Connections
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet


class WatchingSink(Sink):
    """Keeps the conflicts."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[bytes, bytes]] = []

    def conflict(self, side: int, offset: int, first: bytes, second: bytes, frame: int, at: int) -> None:
        self.seen.append((first, second))


class Watching(Listener):
    """Has one sink."""

    def __init__(self) -> None:
        super().__init__()
        self.sink = WatchingSink()

    def open(self, connection: Connection) -> Sink:
        return self.sink


SIX: dict[str, Any] = {"source": ("2001:db8::1", 40000), "destination": ("2001:db8::2", 443)}


def tagged(frame: bytes, vlan: int = 7) -> bytes:
    return frame[:12] + struct.pack(">HH", 0x8100, vlan) + frame[12:]


def copies(*frames: bytes, apart: int = 1000, interfaces: tuple[int, ...] = ()) -> list[int]:
    """Return for each frame the frame of which it is a copy, 0 for none."""
    memory, packet, found = PacketCopies(), Packet(), []
    for place, data in enumerate(frames):
        assert read(packet, data, 0, len(data), 1, len(data)), packet.problem
        interface = interfaces[place] if interfaces else 0
        found.append(memory.first_of(packet, interface, place + 1, START + place * apart))
    return found


ONE = Segment(payload=b"payload", flags=PSH | ACK, identification=77)


@pytest.mark.parametrize(
    "again",
    [ONE, replace(ONE, hops=63)],
    ids=["same", "behind a router"],
)
def test_a_packet_with_the_same_identification_is_a_copy(again: Segment) -> None:
    assert copies(ONE.frame(), again.frame()) == [0, 1]
    assert copies(ONE.frame(), tagged(again.frame()), tagged(again.frame(), 8)) == [0, 1, 1]
    assert copies(ONE.frame(), again.frame(), apart=WINDOW + 1) == [0, 0]


@pytest.mark.parametrize(
    "changes",
    [
        {"identification": 78}, {"hops": 62}, {"hops": 65}, {"sequence": 8}, {"acknowledgement": 2}, {"flags": ACK},
        {"payload": b"longer payload"}, {"source": (CLIENT, 40001)},
    ],
    ids=str,
)  # fmt: skip
def test_another_packet_is_none(changes: dict[str, Any]) -> None:
    assert copies(ONE.frame(), replace(ONE, **changes).frame()) == [0, 0]


def test_an_identification_that_stays_the_same_tells_nothing() -> None:
    """The host asks for lost bytes with three equal acknowledgements, and sends a segment again."""
    data = [replace(ONE, sequence=1 + 7 * place) for place in range(3)]
    asks = replace(ONE, sequence=22, payload=b"", flags=ACK)
    sent = [one.frame() for one in (*data, asks, asks, asks, data[2])]
    assert copies(*sent) == [0] * 7
    counting = [replace(one, identification=80 + place) for place, one in enumerate((*data, asks, asks))]
    twice = [frame for one in counting for frame in [one.frame()] * 2]
    assert copies(*twice) == [0, 1, 0, 3, 0, 5, 0, 7, 0, 9]


@pytest.mark.parametrize("place", ["interface", "vlan"])
def test_an_identification_that_stays_the_same_hides_no_copy_at_another_place(place: str) -> None:
    frames = [replace(ONE, sequence=1 + 7 * number).frame() for number in range(5)]
    found = copies(
        *(frame for one in frames for frame in (one, tagged(one) if place == "vlan" else one)),
        apart=WINDOW // 2,
        interfaces=(0, int(place == "interface")) * 5,
    )
    assert found == [0, 1, 0, 3, 0, 5, 0, 7, 0, 9]


def test_an_identification_that_stays_the_same_hides_no_copy_that_comes_at_once() -> None:
    segments = [ONE, *(replace(ONE, sequence=1 + 7 * number, flags=flags) for number, flags in enumerate((SYN, PSH, PSH), 1))]
    found = copies(*(frame for one in segments for frame in [one.frame()] * 2))
    assert found[:4] == [0, 1, 0, 3]
    assert found[-2:] == [0, 7]


def test_two_routers_take_one_from_the_time_to_live_each() -> None:
    assert copies(*(replace(ONE, hops=hops).frame() for hops in (64, 63, 62))) == [0, 1, 1]


@pytest.mark.parametrize("segment", [replace(ONE, identification=0), replace(ONE, **SIX)], ids=["IPv4", "IPv6"])
def test_without_identification_place_or_time_tell(segment: Segment) -> None:
    frame, begins = segment.frame(), replace(segment, flags=SYN).frame()
    assert copies(frame, frame, apart=10) == [0, 0]  # sent again, or captured twice: nothing shows which
    assert copies(begins, begins, apart=SOON) == [0, 1]
    assert copies(begins, begins, apart=SOON + 1) == [0, 0]
    assert copies(frame, tagged(frame), apart=SOON + 1) == [0, 1]
    assert copies(frame, frame, apart=SOON + 1, interfaces=(0, 1)) == [0, 1]
    moved = bytes(6) + frame[6:]
    assert copies(frame, moved, apart=SOON + 1) == [0, 1]


@pytest.mark.parametrize("segment", [replace(ONE, identification=0), replace(ONE, **SIX)], ids=["IPv4", "IPv6"])
def test_segments_at_the_same_place_are_copies_where_most_come_twice(segment: Segment) -> None:
    frames = [replace(segment, sequence=1 + 7 * place).frame() for place in range(20)]
    doubled = [frame for frame in frames for _ in range(2)]
    found = copies(*doubled, apart=SOON)
    assert found[:4] == [0, 0, 0, 3]
    assert found[2:] == [one for place in range(1, 20) for one in (0, 2 * place + 1)]
    again = [*frames[:10], frames[9], *frames[10:], frames[19], frames[19], frames[19]]
    assert not any(copies(*again, apart=10))
    assert not any(copies(*[frames[0]] * 5, apart=10))


@pytest.mark.parametrize("flags", [ACK, RST, RST | ACK])
def test_acknowledgements_and_resets_without_identification_are_sent_again(flags: int) -> None:
    frame = Segment(flags=flags, identification=0).frame()
    assert copies(frame, frame, apart=10) == [0, 0]
    assert copies(frame, tagged(frame), apart=10) == [0, 1]


def test_datagrams() -> None:
    first = datagram(b"question", 9)
    assert copies(first, first, datagram(b"question", 10), datagram(b"otherwise", 9)) == [0, 1, 0, 0]
    without = datagram(b"a" * 20, 0)
    assert copies(without, without, tagged(without), apart=10) == [0, 0, 2]


def test_a_packet_to_another_host_is_none() -> None:
    """Scanners send one packet to many hosts, all with the same identification."""
    frame = datagram(b"probe", 54321)
    other = frame[:33] + bytes((frame[33] ^ 1,)) + frame[34:]
    assert copies(frame, other, frame) == [0, 0, 1]


def test_without_times_nothing_is_a_copy() -> None:
    memory, packet, frame = PacketCopies(), Packet(), ONE.frame()
    for number in (1, 2):
        read(packet, frame, 0, len(frame), 1, len(frame))
        assert memory.first_of(packet, 0, number, -1) == 0


def talk() -> list[Segment]:
    """A connection with 40 segments of data."""
    begun = [Segment(0, 0, flags=SYN), answer(Segment(0, 1, flags=SYN | ACK)), Segment(identification=2)]
    data = [Segment(1 + 100 * n, payload=bytes([n]) * 100, flags=PSH | ACK, identification=3 + n) for n in range(40)]
    return [*begun, *data, Segment(4001, flags=RST | ACK, identification=50)]


def ended(path: Any) -> tuple[Engine, Connection]:
    """Read a capture, and return the only connection, and the engine."""
    engine, reader = Engine(), CaptureReader([str(path)])
    for frames in reader.packet_readers():
        engine.run(frames)
    (connection,) = {endpoint.connection for endpoint in engine.connections.endpoints.values()}
    return engine, connection


@pytest.mark.parametrize("burst", [1, 8])
def test_a_connection_that_is_there_twice_is_counted_once(tmp_path: Any, burst: int) -> None:
    """With a VLAN tag and one hop less behind the first copy; each after the other, or in bursts."""
    talked, timed, at = talk(), [], START
    for place in range(0, len(talked), burst):
        part = talked[place : place + burst]
        for frames in ([one.frame() for one in part], [tagged(replace(one, hops=63).frame()) for one in part]):
            for frame in frames:
                at += 1000
                timed.append((at, frame))
    _, connection = ended(write(tmp_path / "twice.pcapng", timed))
    assert connection.delivery is not None
    assert connection.delivery.resent == [0, 0]
    assert connection.delivery.copies == [43, 1]
    assert (connection.packets_of(0), connection.packets_of(1)) == (43, 1)
    assert connection.originator.reset is not None
    assert connection.originator.reset.count == 1


def test_bytes_that_differ_in_a_copy_are_still_found() -> None:
    """A copy is read as any packet: who changes bytes and keeps the rest of the headers is found."""
    watching = Watching()
    connections, memory, packet = Connections(watching), PacketCopies(), Packet()
    for number, frame in enumerate((ONE.frame(), replace(ONE, payload=b"PAYLOAD").frame()), 1):
        read(packet, frame, 0, len(frame), 1, len(frame))
        packet.copy_of = memory.first_of(packet, 0, number, START + number)
        connections.feed(packet, number, START + number)
    assert packet.copy_of == 1
    assert watching.sink.seen == [(b"payload", b"PAYLOAD")]


def test_another_capture_begins_anew(tmp_path: Any) -> None:
    paths = [str(write(tmp_path / name, [(START, ONE.frame())])) for name in ("a.pcapng", "b.pcapng")]
    engine, reader = Engine(), CaptureReader(paths)
    for frames in reader.packet_readers():
        engine.run(frames)
        assert engine.packet.copy_of == 0


def test_the_bounds_are_those_of_the_documentation() -> None:
    assert (packet_copies.WINDOW, packet_copies.SLOTS) == (10_000_000, 2048)
    assert SERVER != CLIENT
