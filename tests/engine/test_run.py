"""Runs: who is given which events when, and how a run ends."""

from collections.abc import Iterator, Sequence

import pytest
from conversations import Segment, packetise, pcap, talk

from analyzer.capture.frame import Frame
from analyzer.capture.packet_reader import PacketReader
from analyzer.engine import Engine, Listener, run
from analyzer.tls.events import Event, HandshakeMessage, SessionEnded

TWO = [*packetise(talk("TLSv1_2")), *packetise(talk(), ports=(50001, 8443))]


class Pieces:
    """A source that gives a capture in pieces of so many bytes."""

    def __init__(self, segments: Sequence[Segment], step: int) -> None:
        self.data = pcap(segments)
        self.step = step
        self.n_turns = 0

    def packet_readers(self) -> Iterator[PacketReader]:
        packet_reader = PacketReader(Frame())
        for pos in range(0, len(self.data), self.step):
            packet_reader.feed(self.data[pos : pos + self.step])
            self.n_turns += 1
            yield packet_reader


class Diary(Listener):
    """Writes down what it hears, into a list that many may share."""

    def __init__(self, name: str = "", lines: list[tuple[str, str]] | None = None) -> None:
        self.name = name
        self.lines = [] if lines is None else lines
        self.events: list[Event] = []

    def take(self, events: Sequence[Event]) -> None:
        self.lines.append((self.name, "take"))
        self.events += events

    def end_turn(self) -> None:
        self.lines.append((self.name, "end_turn"))

    def close(self) -> None:
        self.lines.append((self.name, "close"))


class PacketDiary(Diary):
    """One that sees packets too; own: number of each frame, its source port, and what it led to."""

    sees_packets = True

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.own: list[tuple[int, int, list[Event]]] = []

    def packet(self, packet, frame, events) -> None:
        self.lines.append((self.name, "packet"))
        self.own.append((frame.number, packet.source_port, list(events)))


def shape(events: Sequence[Event]) -> list[tuple[object, ...]]:
    """What events say, but for the objects themselves."""
    return [(type(event).__name__, event.session, event.role, event.frame, event.at, event.version) for event in events]


WHOLE = Diary()
run(Pieces(TWO, 1 << 20), Engine(detailed=True), [WHOLE])


@pytest.mark.parametrize("step", [1 << 20, 4096, 997, 60])
@pytest.mark.parametrize("kind", [Diary, PacketDiary])
def test_all_events_come_once_and_in_order_whatever_the_pieces(kind, step):
    diary = kind()
    run(Pieces(TWO, step), Engine(detailed=True), [diary])
    assert shape(diary.events) == shape(WHOLE.events)
    assert len({id(event) for event in diary.events}) == len(diary.events)
    assert [event.session for event in diary.events if isinstance(event, SessionEnded)] == [0, 1]
    frames = [event.frame for event in diary.events if isinstance(event, HandshakeMessage)]
    assert frames == sorted(frames)


def test_a_turn_goes_to_one_listener_after_the_other_and_then_ends_for_all():
    lines: list[tuple[str, str]] = []
    source = Pieces(TWO, 10_000)
    run(source, Engine(), [Diary("a", lines), Diary("b", lines)])
    turn = [("a", "take"), ("b", "take"), ("a", "end_turn"), ("b", "end_turn")]
    assert source.n_turns > 1
    assert lines == turn * (source.n_turns + 1) + [("a", "close"), ("b", "close")]


def test_packets_come_before_the_turn_that_they_are_in():
    lines: list[tuple[str, str]] = []
    run(Pieces(TWO[:3], 1 << 20), Engine(detailed=True), [Diary("a", lines), PacketDiary("b", lines)])
    turn = [("a", "take"), ("b", "take"), ("a", "end_turn"), ("b", "end_turn")]
    assert lines == [("b", "packet")] * 3 + turn * 2 + [("a", "close"), ("b", "close")]


@pytest.mark.parametrize("step", [1 << 20, 60])
def test_a_packet_comes_with_the_events_that_it_led_to(step):
    diary = PacketDiary()
    run(Pieces(TWO, step), Engine(detailed=True), [diary])
    assert [(number, port) for number, port, _ in diary.own] == [
        (number, segment.ports[segment.side]) for number, segment in enumerate(TWO, 1)
    ]
    told = [event for _, _, events in diary.own for event in events]
    assert told == diary.events[: len(told)]
    assert {type(event) for event in diary.events[len(told) :]} == {SessionEnded}
    for number, _, events in diary.own:
        assert [event.frame for event in events if isinstance(event, HandshakeMessage)] == [
            event.frame for event in WHOLE.events if isinstance(event, HandshakeMessage) and event.frame == number
        ]


@pytest.mark.parametrize("step", [1 << 20, 60])
def test_without_details_packets_are_seen_and_have_no_events(step):
    diary = PacketDiary()
    run(Pieces(TWO, step), Engine(), [diary])
    assert [number for number, _, _ in diary.own] == list(range(1, len(TWO) + 1))
    assert all(events == [] for _, _, events in diary.own)
    assert [type(event) for event in diary.events] == [SessionEnded] * 2


class Three(Diary):
    """Is done with its third turn."""

    n_turns = 0

    def take(self, events: Sequence[Event]) -> None:
        super().take(events)
        self.n_turns += 1
        self.done = self.n_turns == 3


def test_a_run_ends_when_all_listeners_are_done():
    source, listener = Pieces(TWO, 500), Three()
    run(source, Engine(), [listener])
    assert source.n_turns == listener.n_turns == 3
    assert listener.lines[-1] == ("", "end_turn"), "nobody is told that the captures have ended"
    source, listener, other = Pieces(TWO, 500), Three(), Diary()
    run(source, Engine(), [listener, other])
    assert shape(other.events) == [one for one in shape(WHOLE.events) if one[0] == "SessionEnded"]
    assert other.lines[-1] == ("", "close")


class UpTo(PacketDiary):
    """Wants one frame, and no more."""

    def packet(self, packet, frame, events) -> None:
        super().packet(packet, frame, events)
        self.done = frame.number == 5


def test_a_run_ends_with_the_packet_that_was_wanted():
    engine, listener = Engine(detailed=True), UpTo()
    run(Pieces(TWO, 1 << 20), engine, [listener])
    assert engine.frames == 5
    assert [number for number, _, _ in listener.own] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("step", [1 << 20, 500])
def test_who_wants_no_more_packets_does_not_end_the_run_for_others(step):
    engine, listener, other = Engine(detailed=True), UpTo(), Diary()
    run(Pieces(TWO, step), engine, [listener, other])
    assert engine.frames == len(TWO)
    assert shape(other.events) == shape(WHOLE.events)


def test_a_run_without_listeners_reads_to_the_end():
    engine, source = Engine(), Pieces(TWO, 1 << 20)
    run(source, engine, [])
    assert (engine.frames, source.n_turns) == (len(TWO), 1)
    assert engine.connections.n_open == 0


def test_a_run_over_nothing_tells_the_end():
    diary = Diary()
    run(Pieces([], 1 << 20), Engine(), [diary])
    assert diary.events == []
    assert diary.lines[-1] == ("", "close")
