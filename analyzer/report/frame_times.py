"""Keeps the time of each frame, so that an event of which only the frame is known has its place in the timeline.

A finding names the frames that show it, and no time. The time of another frame, such as the last one of its session, would be
wrong; so a finding whose frame has no time here is not in the timeline.
"""

from array import array
from collections.abc import Sequence
from typing import Any

from analyzer.capture.frame import Frame
from analyzer.engine.run import Listener
from analyzer.packet.packet import Packet
from analyzer.store.clock import rfc3339

MOST_FRAMES = 4_000_000
"""Frames whose times are kept, the first ones. A time needs 8 bytes."""


class FrameTimes(Listener):
    """Takes the time of each frame of a run, by its number."""

    sees_packets = True

    def __init__(self) -> None:
        self._times = array("q")

    def packet(self, packet: Packet, frame: Frame, events: Sequence[Any]) -> None:
        """See `Listener.packet`."""
        times = self._times
        if len(times) < MOST_FRAMES:
            while len(times) < frame.number - 1:
                times.append(-1)
            times.append(frame.at)

    def of(self, number: int | None) -> str | None:
        """Return the time of a frame as RFC 3339 has it; None if it is not known."""
        if number is None or not 0 < number <= len(self._times):
            return None
        return rfc3339(self._times[number - 1])
