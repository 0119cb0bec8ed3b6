"""The interfaces of one capture on Linux: their ring sockets, and the reader of their frames."""

import os
import select
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing

from analyzer.capture.blocks import LATEST, NANOSECOND_CLOCK, Interface
from analyzer.capture.frame import Frame
from analyzer.capture.live.live_options import InterfaceStatistics, LiveOptions
from analyzer.capture.live.ring_reader import RingChannel, RingReader
from analyzer.capture.live.ring_socket import RingSocket

CHECK_EVERY = 0.2
"""Seconds after which the state of the interfaces is looked at again. It is looked at at once when a socket has an error."""

LATENESS = 10
"""Milliseconds by which the kernel may be late in handing over a block, whose timer has the steps of its clock."""

MOST_HELD = 1.0
"""Seconds after which frames are given out of order. Only a clock that was set back holds them for so long."""


class RingCapture:
    """The sockets of the interfaces `names`. reader: gets one block of each interface in each turn."""

    def __init__(self, names: Sequence[str], options: LiveOptions, fanout: Mapping[str, int] | None) -> None:
        """Open all sockets. Raise CaptureError if one cannot be opened; then none is open."""
        self._options = options
        self._sockets = _open_all(names, options, fanout)
        self._closed = False
        self._checked_at = 0.0
        self._delay = (options.block_timeout_ms + LATENESS) * 1_000_000
        self._held_since: float | None = None
        self._ends_at: float | None = None
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._wake, select.POLLIN)
        for one in self._sockets:
            self._poll.register(one.fileno(), select.POLLIN | select.POLLERR)
        self._notes = [f"{one.name} is down; capturing begins when it is up" for one in self._sockets if not one.up]
        self._statistics: list[InterfaceStatistics] = []
        channels = [RingChannel(number, one.link_type, one.cooked) for number, one in enumerate(self._sockets)]
        self.reader = RingReader(Frame(), channels)
        self.reader.interfaces += [
            Interface(number, 0, one.link_type, one.snapshot_length, NANOSECOND_CLOCK.text, name=one.name, filter=options.bpf)
            for number, one in enumerate(self._sockets)
        ]

    def collect(self) -> bool:
        """See `Sockets.collect`. With several interfaces, frames wait until none of the others can have an earlier one."""
        reader, now = self.reader, time.monotonic()
        if len(self._sockets) > 1:
            ended = self._ends_at is not None and now >= self._ends_at
            stuck = self._held_since is not None and now - self._held_since > MOST_HELD
            reader.horizon = LATEST if ended or stuck else time.time_ns() - self._delay
        for channel, one in zip(reader.channels, self._sockets, strict=True):
            if channel.left <= 0:
                block = one.take()
                channel.idle = block is None
                if block is not None:
                    channel.load(block)
        ready = reader.ready()
        holds = not ready and any(channel.left > 0 for channel in reader.channels)
        self._held_since = (self._held_since or now) if holds else None
        return ready

    def wait(self, seconds: float) -> None:
        """See `Sockets.wait`."""
        if self._held_since is not None:  # what is held becomes free by time alone, and a socket may be ready all the while
            first = min(channel.at for channel in self.reader.channels if channel.left > 0)
            left = (first + self._delay - time.time_ns()) / 1e9
            select.select([self._wake], [], [], min(seconds, self._delay / 1e9, max(0.001, left)))
        for descriptor, events in self._poll.poll(0 if self._held_since is not None else seconds * 1000):
            if descriptor == self._wake:
                os.eventfd_read(self._wake)
            elif events & ~select.POLLIN:
                self._checked_at = 0.0

    def wake(self) -> None:
        """See `Sockets.wake`."""
        if not self._closed:
            os.eventfd_write(self._wake, 1)

    def finish(self) -> float:
        """See `Sockets.finish`. The last block comes when its time is over."""
        for one in self._sockets:
            one.refuse_all()
        seconds = 3 * self._options.block_timeout_ms / 1000
        self._ends_at = time.monotonic() + seconds
        return seconds

    def take_notes(self) -> list[str]:
        """See `Sockets.take_notes`."""
        now = time.monotonic()
        if now - self._checked_at >= CHECK_EVERY:
            self._checked_at = now
            self._notes += [note for note in (one.check() for one in self._sockets) if note]
        notes, self._notes = self._notes, []
        return notes

    def statistics(self) -> list[InterfaceStatistics]:
        """See `Sockets.statistics`."""
        if self._closed:
            return self._statistics
        for one in self._sockets:
            one.count()
        counted = zip(self._sockets, self.reader.channels, strict=True)
        return [
            InterfaceStatistics(
                name=one.name,
                received=one.received - channel.duplicates,
                dropped_by_kernel=one.dropped,
                dropped_by_interface=one.dropped_by_interface(),
                dropped_by_queue=0,
                link_type=one.link_type,
                up=one.up,
            )
            for one, channel in counted
        ]

    def close(self) -> None:
        """See `Sockets.close`."""
        if self._closed:
            return
        self._statistics = self.statistics()
        os.close(self._wake)
        for one in self._sockets:
            one.close()
        self._closed = True


def _open_all(names: Sequence[str], options: LiveOptions, fanout: Mapping[str, int] | None) -> list[RingSocket]:
    with ExitStack() as stack:
        opened = [
            stack.enter_context(closing(RingSocket(name, options, None if fanout is None else fanout[name]))) for name in names
        ]
        stack.pop_all()
    return opened
