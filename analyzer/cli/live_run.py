"""The source of a live run: turns of frames, with time that goes on without them, keys that grow, and an end.

Frames have the time of the system's clock. Someone may set it, or the machine sleeps. Then the engine is told, because a jump
forward would end all idle sessions, and after a jump back no session would end for as long. The steady clock
(CLOCK_MONOTONIC, clock_gettime(2)) shows a jump. A pipe has the clock of another program: there, only a jump back can be seen.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from analyzer.capture.frame_reader import FrameReader
from analyzer.capture.live.live_options import InterfaceStatistics
from analyzer.cli.live_keys import LiveKeys
from analyzer.engine import Engine

LONGEST_WAIT = 500_000_000
"""Nanoseconds that an ended connection waits for late packets, so that its session is shown within a second."""

LATE = "secrets came for a session that had been shown without them; for a minute after such secrets, sessions wait longer"
"""Is noted once: `tls/pending` says when a session waits."""

MOST_RESUMABLE = 1 << 13
"""Session ids, and as many tickets, of one generation: see `TwoGenerationCache`. Of all, 8 MB are held."""

MOST_VALUES = 1 << 12
"""Values of a kind and generation by which sessions are compared: see `Repetitions`. Of all, at most 12 MB are held."""

JUMP = 1_000_000_000
"""Nanoseconds between the system's clock and the steady one that are a jump. NTP moves a clock far slower."""


class LiveSource(Protocol):
    """What captures: `LiveCapture`, or `PipeCapture`."""

    notes: list[str]

    def packet_readers(self) -> Iterator[FrameReader]:
        """Yield the reader each time that frames have arrived, and several times per second if none has."""

    def statistics(self) -> list[InterfaceStatistics]:
        """Return the counters of the interfaces."""

    def stop(self) -> None:
        """End the capture soon."""

    def close(self) -> None:
        """Close what is open."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a run ends by itself; None for never. seconds: of the run. n_bytes: of the files written. n_frames: of the run."""

    seconds: float | None = None
    n_bytes: int | None = None
    n_frames: int | None = None


class LiveRun:
    """One run over a source. `engine.run` takes it as its source.

    reader: the reader of frames, None before the first turn. began: time of the start, ns since the epoch. written: returns how
    many bytes of files were written. enough: returns whether the run is over for another reason. notes: lists of notes that
    grow, each of which is reported once. reports: take each note. n_bytes: returns how many bytes have arrived.
    """

    def __init__(
        self,
        source: LiveSource,
        engine: Engine,
        keys: LiveKeys,
        limits: Limits,
        report: Callable[[str], None],
        now: Callable[[], int] | None = time.time_ns,
    ) -> None:
        """now: the clock of the frames, in nanoseconds since the epoch; None if it is that of another program."""
        self.source = source
        self.engine = engine
        self.reader: FrameReader | None = None
        self.began = time.time_ns()
        self.written: Callable[[], int] = lambda: 0
        self.enough: Callable[[], bool] = lambda: False
        self.n_bytes: Callable[[], int] = lambda: 0
        self.notes: list[Sequence[str]] = [source.notes]
        self._own_notes: list[str] = []
        self.reports = [report]
        self._keys = keys
        self._limits = limits
        self._now = now
        self._started = time.monotonic()
        self._n_reported: dict[int, int] = {}
        self._offset = 0 if now is None else now() - time.monotonic_ns()
        self._last = (0, time.monotonic_ns())
        self._latest = -1
        self._has_late = False
        engine.connections.longest_wait = LONGEST_WAIT
        for resumable in (engine.dispatcher.resumptions.ids, engine.dispatcher.resumptions.tickets):
            resumable.most = MOST_RESUMABLE
        if engine.dispatcher.repetitions is not None:
            engine.dispatcher.repetitions.remember(MOST_VALUES)

    def packet_readers(self) -> Generator[FrameReader, None, None]:
        """Yield the reader of each turn. Before each, the time of the engine and the key logs are those of this moment."""
        try:
            for reader in self.source.packet_readers():
                self.reader = reader
                self._keys.look()
                if self._now is None:
                    self._follow_frames()
                else:
                    self._follow_clock(self._now())
                yield reader
                self._note_late_secrets()
                if self._over():
                    self.source.stop()
                self.report_notes()
        finally:  # a run that has enough packets closes this generator
            self._keys.close()

    def report_notes(self) -> None:
        """Report the notes that are new."""
        for notes in (self._own_notes, *self.notes):
            known = self._n_reported.get(id(notes), 0)
            for note in notes[known:]:
                for report in self.reports:
                    report(note)
            self._n_reported[id(notes)] = len(notes)

    def _note_late_secrets(self) -> None:
        pending = self.engine.dispatcher.pending
        if pending is not None and pending.n_late and not self._has_late:
            self._has_late = True
            self._own_notes.append(LATE)

    def _over(self) -> bool:
        limits = self._limits
        return (
            self.enough()
            or (limits.seconds is not None and time.monotonic() - self._started >= limits.seconds)
            or (limits.n_bytes is not None and self.written() >= limits.n_bytes)
            or (limits.n_frames is not None and self.engine.frames >= limits.n_frames)
        )

    def _follow_clock(self, now: int) -> None:
        """Move the time of the engine to now, if no frames come. The clock of the frames is the system's own."""
        steady = time.monotonic_ns()
        jump = now - steady - self._offset
        self._offset = now - steady
        if abs(jump) > JUMP:
            self._own_notes.append(f"the clock was set {'forward' if jump > 0 else 'back'} by {abs(jump) / 1e9:.1f} s")
            self.engine.set_clock(now - jump, now)
        n_frames, since = self._last
        if self.engine.frames == n_frames:
            self.engine.tick(now - LONGEST_WAIT // 10)
        elif steady - since > JUMP:  # busy: the time of the frames closes what is idle
            self.engine.tick(self.engine.at)
            self._last = (self.engine.frames, steady)
        else:
            self._last = (self.engine.frames, since)

    def _follow_frames(self) -> None:
        """Move the time of the engine on from the last frame, if no frames come. The clock of the frames is not known."""
        engine, steady = self.engine, time.monotonic_ns()
        n_frames, since = self._last
        if engine.frames != n_frames:
            if engine.at < self._latest - JUMP and engine.at >= 0:
                seconds = (self._latest - engine.at) / 1e9
                self._own_notes.append(f"the clock of the pipe was set back by {seconds:.1f} s")
                engine.set_clock(self._latest, engine.at)
            self._latest = engine.at
            self._last = (engine.frames, steady)
        elif self._latest >= 0 and steady - since > LONGEST_WAIT // 2:
            engine.tick(self._latest + steady - since)
