"""Runs: which listener gets which events and when, and how a run ends."""

from collections.abc import Generator, Sequence

import pytest
from conversations import Segment, packetise, pcap, talk

from analyzer.capture.frame import Frame
from analyzer.capture.frame_reader import FrameReader
from analyzer.capture.packet_reader import PacketReader
from analyzer.engine import Engine, Listener, run
from analyzer.tls.events import Event, HandshakeMessage, SessionEnded

TWO = [*packetise(talk("TLSv1_2")), *packetise(talk(), ports=(50001, 8443))]


class Pieces:
    """A source that gives a capture in pieces of `step` bytes."""

    def __init__(self, segments: Sequence[Segment], step: int) -> None:
        self.data = pcap(segments)
        self.step = step
        self.n_turns = 0

    def packet_readers(self) -> Generator[PacketReader, None, None]:
        packet_reader = PacketReader(Frame())
        for pos in range(0, len(self.data), self.step):
            packet_reader.feed(self.data[pos : pos + self.step])
            self.n_turns += 1
            yield packet_reader


class Recorder(Listener):
    """A listener that keeps all calls, in a list that several listeners may share."""

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


class PacketRecorder(Recorder):
    """A recorder that also gets packets. own: number of each frame, its source port, and the events that it caused."""

    sees_packets = True

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.own: list[tuple[int, int, list[Event]]] = []

    def packet(self, packet, frame, events) -> None:
        self.lines.append((self.name, "packet"))
        self.own.append((frame.number, packet.source_port, list(events)))


def attributes(events: Sequence[Event]) -> list[tuple[object, ...]]:
    """Return the attributes of events, without objects."""
    return [(type(event).__name__, event.session, event.role, event.frame, event.at, event.version) for event in events]


WHOLE = Recorder()
run(Pieces(TWO, 1 << 20), Engine(detailed=True), [WHOLE])


@pytest.mark.parametrize("step", [1 << 20, 4096, 997, 60])
@pytest.mark.parametrize("kind", [Recorder, PacketRecorder])
def test_all_events_come_once_and_in_order_for_any_pieces(kind, step):
    recorder = kind()
    run(Pieces(TWO, step), Engine(detailed=True), [recorder])
    assert attributes(recorder.events) == attributes(WHOLE.events)
    assert len({id(event) for event in recorder.events}) == len(recorder.events)
    assert [event.session for event in recorder.events if isinstance(event, SessionEnded)] == [0, 1]
    frames = [event.frame for event in recorder.events if isinstance(event, HandshakeMessage)]
    assert frames == sorted(frames)


def test_a_turn_goes_to_one_listener_after_the_other_and_then_ends_for_all():
    lines: list[tuple[str, str]] = []
    source = Pieces(TWO, 10_000)
    run(source, Engine(), [Recorder("a", lines), Recorder("b", lines)])
    turn = [("a", "take"), ("b", "take"), ("a", "end_turn"), ("b", "end_turn")]
    assert source.n_turns > 1
    assert lines == turn * (source.n_turns + 1) + [("a", "close"), ("b", "close")]


def test_packets_come_before_the_turn_that_they_are_in():
    lines: list[tuple[str, str]] = []
    run(Pieces(TWO[:3], 1 << 20), Engine(detailed=True), [Recorder("a", lines), PacketRecorder("b", lines)])
    turn = [("a", "take"), ("b", "take"), ("a", "end_turn"), ("b", "end_turn")]
    assert lines == [("b", "packet")] * 3 + turn * 2 + [("a", "close"), ("b", "close")]


@pytest.mark.parametrize("step", [1 << 20, 60])
def test_a_packet_comes_with_the_events_that_it_caused(step):
    recorder = PacketRecorder()
    run(Pieces(TWO, step), Engine(detailed=True), [recorder])
    assert [(number, port) for number, port, _ in recorder.own] == [
        (number, segment.ports[segment.side]) for number, segment in enumerate(TWO, 1)
    ]
    told = [event for _, _, events in recorder.own for event in events]
    assert told == recorder.events[: len(told)]
    assert {type(event) for event in recorder.events[len(told) :]} == {SessionEnded}
    for number, _, events in recorder.own:
        assert [event.frame for event in events if isinstance(event, HandshakeMessage)] == [
            event.frame for event in WHOLE.events if isinstance(event, HandshakeMessage) and event.frame == number
        ]


@pytest.mark.parametrize("step", [1 << 20, 60])
def test_without_details_packets_are_seen_and_have_no_events(step):
    recorder = PacketRecorder()
    run(Pieces(TWO, step), Engine(), [recorder])
    assert [number for number, _, _ in recorder.own] == list(range(1, len(TWO) + 1))
    assert all(events == [] for _, _, events in recorder.own)
    assert [type(event) for event in recorder.events] == [SessionEnded] * 2


class Three(Recorder):
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
    assert listener.lines[-1] == ("", "end_turn"), "nobody hears that the captures have ended"
    source, listener, other = Pieces(TWO, 500), Three(), Recorder()
    run(source, Engine(), [listener, other])
    assert attributes(other.events) == [one for one in attributes(WHOLE.events) if one[0] == "SessionEnded"]
    assert other.lines[-1] == ("", "close")


class UpTo(PacketRecorder):
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
def test_a_listener_that_is_done_does_not_end_the_run_for_others(step):
    engine, listener, other = Engine(detailed=True), UpTo(), Recorder()
    run(Pieces(TWO, step), engine, [listener, other])
    assert engine.frames == len(TWO)
    assert attributes(other.events) == attributes(WHOLE.events)


def test_a_run_without_listeners_reads_to_the_end():
    engine, source = Engine(), Pieces(TWO, 1 << 20)
    run(source, engine, [])
    assert (engine.frames, source.n_turns) == (len(TWO), 1)
    assert engine.connections.n_open == 0


def test_a_run_without_frames_closes_the_listeners():
    recorder = Recorder()
    run(Pieces([], 1 << 20), Engine(), [recorder])
    assert recorder.events == []
    assert recorder.lines[-1] == ("", "close")


@pytest.mark.parametrize("detailed", [False, True])
@pytest.mark.parametrize("step", [1 << 20, 60])
def test_a_run_ends_after_so_many_frames(detailed: bool, step: int):
    engine, listener = Engine(detailed=detailed), PacketRecorder()
    run(Pieces(TWO, step), engine, [listener], 10)
    assert [number for number, _, _ in listener.own] == list(range(1, 11))
    assert [type(event) for event in listener.events].count(SessionEnded) == 1  # the end of the frames is that of the captures
    assert listener.lines[-1] == ("", "close")


class Quiet(Pieces):
    """A source in which time goes on after the last frame, before the end."""

    engine: Engine

    def packet_readers(self) -> Generator[FrameReader, None, None]:
        for packet_reader in super().packet_readers():
            yield packet_reader
        self.engine.tick(self.engine.at + 10_000_000_000)
        yield packet_reader
        assert len(self.recorder.events) > 0

    def __init__(self, engine: Engine, recorder: Recorder) -> None:
        super().__init__(TWO, 1 << 20)
        self.engine, self.recorder = engine, recorder


@pytest.mark.parametrize("detailed", [False, True])
def test_what_ends_without_a_frame_is_delivered_at_once(detailed: bool):
    engine, recorder = Engine(detailed=detailed), PacketRecorder()
    source = Quiet(engine, recorder)
    run(source, engine, [recorder])
    assert [type(event) for event in recorder.events].count(SessionEnded) == 2
