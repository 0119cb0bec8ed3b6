"""Counts packets, bytes and beginning sessions over time, in a bounded number of equal steps.

The length of a capture is not known before its end. So steps begin short, and each time that there are too many, two steps
become one. Frames without a time are not counted.
"""

from collections.abc import Sequence
from typing import Any

from analyzer.capture.frame import Frame
from analyzer.engine.run import Listener
from analyzer.packet.packet import Packet
from analyzer.store.clock import rfc3339
from analyzer.tls.events import Event, SessionBegan

MOST_STEPS = 240
"""Steps that are kept at most: about as many as a picture of one page can show."""

FIRST_STEP = 1_000_000
"""Length of a step at the beginning, in nanoseconds."""


class TrafficSeries(Listener):
    """Counts a run over time. A frame before the first one moves the beginning, as far as the steps reach."""

    sees_packets = True

    def __init__(self) -> None:
        self.start: int | None = None
        self.step = FIRST_STEP
        self.packets: list[int] = []
        self.n_bytes: list[int] = []
        self.sessions: list[int] = []

    def packet(self, packet: Packet, frame: Frame, events: Sequence[Event]) -> None:
        """See `Listener.packet`."""
        if frame.at >= 0:
            at = self._place(frame.at)
            self.packets[at] += 1
            self.n_bytes[at] += frame.wire_length

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionBegan) and event.at >= 0:
                self.sessions[self._place(event.at)] += 1

    def record(self) -> dict[str, Any]:
        """Return the counts as JSON values: `start`, `step_seconds`, and one number a step for each of the three."""
        return {
            "start": None if self.start is None else rfc3339(self.start),
            "step_seconds": self.step / 1e9,
            "packets": self.packets,
            "bytes": self.n_bytes,
            "sessions": self.sessions,
        }

    def _place(self, at: int) -> int:
        """Return the index of the step of a time, after making room for it."""
        if self.start is None:
            self.start = at
        if at < self.start:
            self.start = self._begin_earlier(self.start, at)
        place = (at - self.start) // self.step
        while place >= MOST_STEPS:
            self._merge()
            place = (at - self.start) // self.step
        for counts in (self.packets, self.n_bytes, self.sessions):
            counts.extend([0] * (place + 1 - len(counts)))
        return place

    def _begin_earlier(self, start: int, at: int) -> int:
        """Put steps before the first one, so that a time before `start` has one. Return the new start."""
        ahead = -((at - start) // self.step)
        while ahead + len(self.packets) > MOST_STEPS:
            self._merge()
            ahead = -((at - start) // self.step)
        for counts in (self.packets, self.n_bytes, self.sessions):
            counts[:0] = [0] * ahead
        return start - ahead * self.step

    def _merge(self) -> None:
        """Make one step of each two."""
        self.step *= 2
        for counts in (self.packets, self.n_bytes, self.sessions):
            counts[:] = [sum(counts[n : n + 2]) for n in range(0, len(counts), 2)]
