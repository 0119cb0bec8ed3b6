"""Captures interfaces: the source of frames for a run of the engine, as `CaptureReader` is for files.

A run goes in turns. In each turn the reader gets what the sockets have, and the engine takes it. A turn without frames comes at
least every TURN seconds: then the caller moves the time of the engine, so that idle sessions end on a quiet interface too.
"""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Protocol

from analyzer.capture.frame_reader import FrameReader
from analyzer.capture.live.capture_error import CaptureError
from analyzer.capture.live.live_options import InterfaceStatistics, LiveOptions

__all__ = ["CaptureError", "InterfaceStatistics", "LiveCapture", "LiveOptions"]

TURN = 0.2
"""Seconds after which a turn comes even if no frame has arrived."""

MAX_NOTES = 1000
"""Notes that are kept: an interface that goes up and down every second fills that in minutes, and the rest says the same."""

_NOT_SHARED = "several processes can share an interface only through the ring of Linux"


class Sockets(Protocol):
    """What a backend has: the sockets of all interfaces, and the reader of their frames."""

    @property
    def reader(self) -> FrameReader:
        """The reader that `collect` fills."""

    def collect(self) -> bool:
        """Give the reader what has arrived, without waiting. Call it only when the reader has no frames.

        Return whether it has frames now.
        """

    def wait(self, seconds: float) -> None:
        """Return when something has arrived, `wake` was called, or the time is over."""

    def wake(self) -> None:
        """End `wait`. A signal handler or another thread may call it."""

    def finish(self) -> float:
        """Let nothing more arrive. Return after how many seconds the last that had arrived before can be collected."""

    def take_notes(self) -> list[str]:
        """Return what happened to the interfaces since the last call."""

    def statistics(self) -> list[InterfaceStatistics]:
        """Return the counters of all interfaces."""

    def close(self) -> None:
        """Close the sockets. `statistics` then returns the last counters."""


def new_groups(interfaces: Sequence[str]) -> dict[str, int]:
    """Return for each interface the number of a group that nobody has. Raise CaptureError if an interface cannot be opened."""
    if sys.platform != "linux":
        raise CaptureError(_NOT_SHARED)
    from analyzer.capture.live.ring_socket import NEW_GROUP, RingSocket

    groups: dict[str, int] = {}
    for name in interfaces:
        with closing(RingSocket(name, LiveOptions(promiscuous=False), NEW_GROUP)) as first:
            groups[name] = first.group()
    return groups


class LiveCapture:
    """Captures the interfaces `interfaces`. `any` stands for all interfaces. Use it once.

    notes: what happened to the interfaces, each with its time: one went down, was removed, came back. They grow while the
    capture runs, up to MAX_NOTES. Whether the clock jumps is watched by the caller, who moves the time of the engine.
    """

    def __init__(self, interfaces: Sequence[str], options: LiveOptions | None = None) -> None:
        self.interfaces = tuple(dict.fromkeys(interfaces))
        self.options = options or LiveOptions()
        self.notes: list[str] = []
        self._sockets: Sockets | None = None
        self._stopped = False

    def open(self, fanout: Mapping[str, int] | None = None) -> None:
        """Open the sockets of all interfaces. Raise CaptureError if one cannot be opened; then none is open.

        This needs the right to capture; nothing after it does. fanout: for each interface the number of a group, as
        `new_groups` returns it to the first process. The kernel gives each packet to one of the processes that open the same
        group, by the hash of its flow.
        """
        options = self.options
        if not self.interfaces:
            raise CaptureError("no interface is named")
        backend = options.backend or ("ring" if sys.platform == "linux" else "scapy")
        if backend == "ring":
            from analyzer.capture.live.ring_capture import RingCapture

            self._sockets = RingCapture(self.interfaces, options, fanout)
        else:
            from analyzer.capture.live.scapy_capture import ScapyCapture

            if fanout is not None:
                raise CaptureError(_NOT_SHARED)
            self._sockets = ScapyCapture(self.interfaces, options)

    @property
    def reader(self) -> FrameReader:
        """The reader that `packet_readers` yields. Its `interfaces` describe the interfaces. Raise CaptureError if not open."""
        return self._opened().reader

    def packet_readers(self) -> Iterator[FrameReader]:
        """Yield the reader each time that frames have arrived, and at least every TURN seconds. Advance it until it has none.

        End after `stop`, when all frames that had arrived before were delivered.
        """
        sockets = self._opened()
        end_at: float | None = None
        while True:
            if self._stopped and end_at is None:
                end_at = time.monotonic() + sockets.finish()
            if not sockets.collect():
                if end_at is None or time.monotonic() < end_at:
                    sockets.wait(TURN if end_at is None else max(0.0, min(TURN, end_at - time.monotonic())))
                    sockets.collect()
                elif not sockets.collect():
                    return
            self._take_notes(sockets)
            yield sockets.reader

    def stop(self) -> None:
        """End `packet_readers` soon. A signal handler or another thread may call it, and more than once."""
        self._stopped = True
        if self._sockets is not None:
            self._sockets.wake()

    def statistics(self) -> list[InterfaceStatistics]:
        """Return the counters of all interfaces since `open`, in the order of `reader.interfaces`."""
        return self._opened().statistics()

    def close(self) -> None:
        """Close the sockets. `statistics` still returns the last counters."""
        if self._sockets is not None:
            self._sockets.close()

    def _opened(self) -> Sockets:
        if self._sockets is None:
            raise CaptureError("the interfaces are not open")
        return self._sockets

    def _take_notes(self, sockets: Sockets) -> None:
        for note in sockets.take_notes():
            if len(self.notes) < MAX_NOTES:
                self.notes.append(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {note}")
