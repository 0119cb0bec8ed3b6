"""The source of a live run: clocks that are set, quiet links, notes, and ends."""

from collections.abc import Generator
from pathlib import Path

from conversations import SECOND, Segment, packetise, pcap, talk

from analyzer.capture.frame import Frame
from analyzer.capture.live.live_options import InterfaceStatistics
from analyzer.capture.packet_reader import PacketReader
from analyzer.cli.arguments import parse
from analyzer.cli.live_keys import LiveKeys
from analyzer.cli.live_run import LONGEST_WAIT, Limits, LiveRun
from analyzer.engine import Engine, Listener
from analyzer.engine import run as run_engine
from analyzer.tls.events import Event, SessionEnded

NOW = 1_700_000_000 * SECOND


class Clock:
    """The system's clock, which a test can set. It stands still between."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> int:
        return self.at


class Script:
    """A source that does what a test says: each turn is a list of segments, or a time to which the clock is set."""

    def __init__(self, turns: list[list[Segment] | int], clock: Clock) -> None:
        self.notes: list[str] = []
        self.stopped = False
        self._turns = turns
        self._clock = clock

    def packet_readers(self) -> Generator[PacketReader, None, None]:
        reader = PacketReader(Frame())
        reader.feed(pcap([])[:24])
        for turn in self._turns:
            if self.stopped:
                return
            if isinstance(turn, int):
                self._clock.at = turn
            else:
                for segment in turn:
                    reader.feed(record_of(segment, self._clock.at))
            yield reader

    def statistics(self) -> list[InterfaceStatistics]:
        return []

    def stop(self) -> None:
        self.stopped = True

    def close(self) -> None:
        pass


def record_of(segment: Segment, at: int) -> bytes:
    """A segment as a record of pcap, captured at that time."""
    data = segment.frame()
    return b"".join(number.to_bytes(4, "little") for number in (at // SECOND, at % SECOND // 1000, len(data), len(data))) + data


class Ends(Listener):
    """Notes how many turns had ended when each session ended."""

    def __init__(self) -> None:
        self.turn = 0
        self.ended: list[tuple[int, str]] = []

    def take(self, events: list[Event]) -> None:  # type: ignore[override]
        self.ended += [(self.turn, event.ended.flow.closed) for event in events if isinstance(event, SessionEnded)]

    def end_turn(self) -> None:
        self.turn += 1


def play(turns: list[list[Segment] | int], limits: Limits = Limits(), pipe: bool = False) -> tuple[Ends, list[str], Engine]:  # noqa: B008
    clock, notes, ends = Clock(), [], Ends()
    source = Script(turns, clock)
    keys = LiveKeys(parse(["live", "lo"]))
    engine = Engine(**keys.arguments)
    live_run = LiveRun(source, engine, keys, limits, notes.append, None if pipe else clock)
    run_engine(live_run, engine, [ends], limits.n_frames)
    live_run.report_notes()
    return ends, notes, engine


def test_a_session_ends_on_a_quiet_link():
    ends, notes, _ = play([packetise(talk()), NOW + LONGEST_WAIT // 2, NOW + 2 * LONGEST_WAIT, []])
    assert ends.ended == [(2, "fin")]
    assert notes == []


def test_time_goes_on_without_frames():
    _, _, engine = play([packetise(talk(), fin=False), NOW + SECOND // 2, NOW + SECOND * 9 // 10, NOW + SECOND])
    assert NOW + SECOND - LONGEST_WAIT < engine.at <= NOW + SECOND


def test_a_clock_that_is_set_forward_ends_no_session():
    segments = packetise(talk())
    day = 86_400 * SECOND
    ends, notes, _ = play([segments[:8], NOW + day, segments[8:], [], []])
    assert [reason for _, reason in ends.ended] == ["fin"]
    assert notes == ["the clock was set forward by 86400.0 s"]


def test_a_clock_that_is_set_back_does_not_keep_sessions_open():
    segments = packetise(talk())
    back = NOW - 86_400 * SECOND
    ends, notes, _ = play([segments, back, back + 2 * LONGEST_WAIT, [], []])
    assert ends.ended[0][0] < 4
    assert notes == ["the clock was set back by 86400.0 s"]


def test_a_clock_of_a_pipe_that_is_set_back():
    segments, others = packetise(talk(), ports=(50001, 443)), packetise(talk(), ports=(50002, 443))
    back = NOW - 3600 * SECOND
    ends, notes, engine = play([segments, back, others, [], []], pipe=True)
    assert notes == ["the clock of the pipe was set back by 3600.0 s"]
    assert len(ends.ended) == 2
    assert engine.at < NOW


def test_a_run_ends_after_so_many_frames():
    ends, _, engine = play([packetise(talk()), packetise(talk(), ports=(50003, 443))], Limits(n_frames=5))
    assert engine.frames == 5
    assert ends.turn == 2


def test_a_run_ends_after_some_time():
    _, _, engine = play([packetise(talk()), packetise(talk(), ports=(50003, 443))], Limits(seconds=0))
    assert engine.frames == len(packetise(talk()))


def test_each_note_is_reported_once(tmp_path: Path):
    clock, notes = Clock(), []
    source = Script([], clock)
    keys = LiveKeys(parse(["live", "lo"]))
    live_run = LiveRun(source, Engine(), keys, Limits(), notes.append, clock)
    source.notes.append("one")
    live_run.report_notes()
    source.notes.append("two")
    live_run.report_notes()
    live_run.report_notes()
    assert notes == ["one", "two"]


def test_a_run_that_has_enough_frames_reads_the_key_logs_to_their_end(tmp_path: Path):
    log = tmp_path / "keys"
    log.touch()
    keys = LiveKeys(parse(["live", "lo", "-k", str(log)]))
    engine, random = Engine(**keys.arguments), bytes(range(32))
    may_grow = []

    class Late(Listener):
        """Logs a secret with the last frame, without a line end, and notes whether more may come when the engine has ended."""

        def end_turn(self) -> None:
            log.write_text(f"CLIENT_RANDOM {random.hex()} {'ab' * 48}")

        def close(self) -> None:
            may_grow.append(keys.may_grow())

    clock = Clock()
    source = Script([packetise(talk()), packetise(talk(), ports=(50003, 443))], clock)
    run_engine(LiveRun(source, engine, keys, Limits(n_frames=5), print, clock), engine, [Late()], 5)
    assert engine.frames == 5
    assert may_grow == [False]
    assert keys.arguments["keylog"].knows(random)
