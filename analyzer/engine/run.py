"""One run over captures: every frame to the engine, every event to whoever listens.

What a run shows, keeps or counts is a listener of it. A turn is what was read at once: listeners are given its events together,
one listener after the other, so that what one learns in a turn (revocation data, say) is there for the next.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from analyzer.capture.frame import Frame
from analyzer.capture.packet_reader import PacketReader
from analyzer.engine.engine import Engine
from analyzer.packet.packet import Packet
from analyzer.tls.events import Event


class Listener:
    """Takes what a run gives; subclasses override what they need.

    sees_packets: whether `packet` is called. done: whether it has all that it wants; the run ends when all listeners have.
    """

    sees_packets = False
    done = False

    def packet(self, packet: Packet, frame: Frame, events: Sequence[Event]) -> None:
        """Take a frame that was just fed, and the events that it led to (of an engine that is `detailed`; else none).

        Both objects are used again for the next frame.
        """

    def take(self, events: Sequence[Event]) -> None:
        """Take the events of a turn, in their order, those that `packet` was given among them."""

    def end_turn(self) -> None:
        """Hear that all listeners have the events of this turn."""

    def close(self) -> None:
        """Hear that the captures have ended, and every event was given."""


class Source(Protocol):
    """Where frames come from: `CaptureReader`, or what shows how far it is."""

    def packet_readers(self) -> Iterable[PacketReader]:
        """The packet reader of the capture at hand, again each time that it has more bytes."""


def run(source: Source, engine: Engine, listeners: Sequence[Listener]) -> None:
    """Read captures to their end, or until every listener is done; only at their end are listeners closed.

    Each listener has a turn's events before the next one has. What a listener raises ends the run, and is raised here.
    """
    watchers = [listener for listener in listeners if listener.sees_packets]
    counts = [listener.packet for listener in watchers if not engine.dispatcher.detailed]
    for packet_reader in source.packet_readers():
        if not watchers:
            engine.run(packet_reader)
            tell(engine.take(), listeners)
        elif not engine.dispatcher.detailed:
            frame, packet, step = packet_reader.frame, engine.packet, engine.step
            while step(packet_reader):
                for count in counts:
                    count(packet, frame, ())
            tell(engine.take(), listeners)
        else:
            tell(watch(packet_reader, engine, listeners), listeners)
        if listeners and all(listener.done for listener in listeners):
            return
    engine.close()
    tell(engine.take(), listeners)
    for listener in listeners:
        listener.close()


def watch(packet_reader: PacketReader, engine: Engine, listeners: Sequence[Listener]) -> list[Event]:
    """Take all frames that the packet reader has the bytes of, until every listener is done, each with its own events; all of
    them."""
    watchers = [listener for listener in listeners if listener.sees_packets]
    events: list[Event] = []
    frame, packet = packet_reader.frame, engine.packet
    while engine.step(packet_reader):
        own = engine.take()
        events += own
        for watcher in watchers:
            watcher.packet(packet, frame, own)
        if all(listener.done for listener in listeners):
            break
    return events


def tell(events: Sequence[Event], listeners: Sequence[Listener]) -> None:
    """Give the events of a turn to all listeners, and end it."""
    for listener in listeners:
        listener.take(events)
    for listener in listeners:
        listener.end_turn()
