"""One run over captures: passes every frame to the engine, and every event to the listeners.

Everything that a run shows, keeps or counts is done by a listener. A turn is the data that was read at once. Each listener gets
all events of a turn, one listener after the other. So what one listener finds in a turn (for example revocation data) is
available to the next one.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Protocol

from analyzer.capture.frame import Frame
from analyzer.capture.frame_reader import FrameReader
from analyzer.engine.engine import Engine
from analyzer.packet.packet import Packet
from analyzer.tls.events import Event


class Listener:
    """Takes packets and events of a run. Subclasses override what they need.

    sees_packets: whether `packet` is called. done: whether it needs nothing more; the run ends when all listeners are done.
    """

    sees_packets = False
    done = False

    def packet(self, packet: Packet, frame: Frame, events: Sequence[Event]) -> None:
        """Take a frame that was just fed, and the events that it caused (none if the engine is not `detailed`).

        The objects `packet` and `frame` are used again for the next frame.
        """

    def take(self, events: Sequence[Event]) -> None:
        """Take the events of a turn, in their order. They include the events that `packet` got."""

    def end_turn(self) -> None:
        """End the turn: all listeners have its events now."""

    def close(self) -> None:
        """End the run: the captures have ended, and all events were delivered."""


class Source(Protocol):
    """The source of frames: `CaptureReader`, or an object that shows its progress."""

    def packet_readers(self) -> Generator[FrameReader, None, None]:
        """Yield the packet reader of the current capture, each time that it has more bytes.

        If the run needs no more, it closes this generator, before it closes the engine.
        """


def run(source: Source, engine: Engine, listeners: Sequence[Listener], n_frames: int | None = None) -> None:
    """Read captures to their end, or until every listener is done. Listeners are closed only at the end of the captures.

    n_frames: how many frames are read at most; after them the captures end. None for all.

    Each listener gets all events of a turn before the next listener. An error that a listener raises ends the run, and is
    raised here.
    """
    watchers = [listener for listener in listeners if listener.sees_packets]
    counts = [listener.packet for listener in watchers if not engine.dispatcher.detailed]
    with closing(source.packet_readers()) as frame_readers:
        for frame_reader in frame_readers:
            if n_frames is not None:
                deliver(run_by_frame(frame_reader, engine, listeners, n_frames), listeners)
            elif not watchers:
                engine.run(frame_reader)
                deliver(engine.take(), listeners)
            elif not engine.dispatcher.detailed:
                frame, packet, step = frame_reader.frame, engine.packet, engine.step
                while step(frame_reader):
                    for count in counts:
                        count(packet, frame, ())
                deliver(engine.take(), listeners)
            else:
                deliver(run_by_frame(frame_reader, engine, listeners), listeners)
            if listeners and all(listener.done for listener in listeners):
                return
            if n_frames is not None and engine.frames >= n_frames:
                break
    engine.close()
    deliver(engine.take(), listeners)
    for listener in listeners:
        listener.close()


def turns(source: Source, engine: Engine) -> Iterator[list[Event]]:
    """Read captures to their end, and yield the events of each turn. This is `run` for a caller that goes at its own pace."""
    with closing(source.packet_readers()) as frame_readers:
        for frame_reader in frame_readers:
            engine.run(frame_reader)
            yield engine.take()
    engine.close()
    yield engine.take()


def run_by_frame(
    frame_reader: FrameReader, engine: Engine, listeners: Sequence[Listener], n_frames: int | None = None
) -> list[Event]:
    """Take all frames for which the packet reader has the bytes, or until every listener is done. Return all their events.

    Listeners with `sees_packets` get each frame with its own events. Events that came without a frame, when time went on, are
    among those of the next frame, or alone if there is none.
    """
    watchers = [listener for listener in listeners if listener.sees_packets]
    events: list[Event] = []
    frame, packet, n_before = frame_reader.frame, engine.packet, engine.frames
    while (n_frames is None or engine.frames < n_frames) and engine.step(frame_reader):
        own = engine.take()
        if own:
            events += own
        for watcher in watchers:
            watcher.packet(packet, frame, own)
        for listener in listeners:
            if not listener.done:
                break
        else:
            if listeners:
                break
    if engine.frames == n_before:
        events += engine.take()
    return events


def deliver(events: Sequence[Event], listeners: Sequence[Listener]) -> None:
    """Deliver the events of a turn to all listeners, and end the turn."""
    for listener in listeners:
        listener.take(events)
    for listener in listeners:
        listener.end_turn()
