"""Decides while packets arrive which sessions pass a display filter: those with a packet that passes.

A filter of what a packet has is asked when the packet comes. What `analyzer.*` and `http.*` ask for is known when the session
ends, so such a filter is asked then: about what the record says, together with what each packet of the session had, which is
held until then, up to MOST_HELD bytes. If there is no more room, the packets of the connection that was quiet for longest are
forgotten, and a note says so.

The engine tells some things of a packet later: when secrets come, or the other side's bytes. Then the filter is asked again
about that packet, with its headers if it is among the last ones.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from analyzer.capture.frame import Frame
from analyzer.cli.live_chosen import ChosenSessions
from analyzer.engine import Engine, Listener
from analyzer.engine.failed_connections import ConnectionFailed
from analyzer.engine.other_traffic import OtherTraffic
from analyzer.filters.event_values import by_frame
from analyzer.filters.frame_values import FrameValues, needs_of
from analyzer.filters.later_values import HeldValues, LaterValues, asks_packets, hangs_on_order, is_later
from analyzer.packet.addresses import reverse_key
from analyzer.packet.packet import Packet
from analyzer.store.chain_verdicts import Chains
from analyzer.text.formatting import size_text
from analyzer.tls.events import Data, DataBegan, DataMissing, Event, SessionBegan, SessionEnded

if TYPE_CHECKING:
    from analyzer.filters.compiled_filter import CompiledFilter

MOST_HELD = 32 << 20
"""Bytes of memory, as estimated, of what packets had, for filters that are asked when the session ends."""

MOST_PENDING = 1 << 16
"""Connections with a packet that passed before their session began, or without any."""

MOST_RECENT = 8 << 20
"""Bytes of the last packets, of which the engine may tell more."""

_OF_STREAMS = (Data, DataBegan, DataMissing, SessionEnded)
_FRAME_COST = 300
"""Bytes of memory of a packet beside its bytes."""


class LiveFilter(Listener):
    """Decides which sessions pass. It is a listener before those that ask it, and behind the chains.

    passed: numbers of the sessions of which a packet has passed, until the turn in which they end is over. fresh: those that
    have passed in this turn. n_passed, n_ended: how many sessions have passed, and have ended. notes: grow as the run goes on.
    """

    def __init__(self, compiled: "CompiledFilter", engine: Engine, chains: Chains) -> None:
        """engine: of the run. It has to be `detailed`."""
        self.text = compiled.text
        self.passed: set[int] = set()
        self.fresh: list[int] = []
        self.n_passed = self.n_ended = 0
        self.notes: list[str] = []
        self._compiled = compiled
        self._now = [field for field in compiled.fields if not is_later(field)]
        self._later = LaterValues(compiled, chains) if len(self._now) < len(compiled.fields) else None
        self._asks_packets = asks_packets(compiled)
        self._reads_events = needs_of(self._now)[0]
        self._values = FrameValues(self._now, engine)
        self._told_later = FrameValues(self._now) if hangs_on_order(compiled) else self._values
        self._open: dict[bytes, int] = {}
        self._pending: OrderedDict[bytes, int] = OrderedDict()
        self._held: OrderedDict[bytes, list[tuple[int, HeldValues]]] = OrderedDict()
        self._n_held = 0
        self._recent = _RecentFrames()
        self._ended: list[int] = []
        self.sees_packets = self._asks_packets

    def packet(self, packet: Packet, frame: Frame, events: Sequence[Event]) -> None:
        """See `Listener.packet`."""
        for event in events:
            if isinstance(event, SessionBegan):
                self._begin(event)
        if self._asks_packets:
            own = [event for event in events if event.frame == frame.number] if self._reads_events else []
            if self._reads_events:
                self._recent.keep(frame)
                self._recent.tell(frame.number, own)
                if len(own) < len(events):
                    self._ask_again([event for event in events if event.frame != frame.number])
            self._values.take(frame, own)
            self._ask(self._values, frame.number, _both_ways(self._values.key()))
        for event in events:
            if isinstance(event, SessionEnded):
                self._close(event)

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`. Whoever is asked behind this knows what has passed in this turn."""
        for event in events:
            if isinstance(event, SessionEnded):
                if self._later is not None and event.session not in self.passed and self._passes_at_end(event):
                    self._pass(event.session)
                self._close(event)
                self._forget(_both_ways(event.ended.flow.key), event.ended.flow.last_frame)
                self._ended.append(event.session)
                self.n_ended += 1

    def end_turn(self) -> None:
        """See `Listener.end_turn`. Of the sessions that have ended, nobody asks any more."""
        self.fresh.clear()
        self.passed.difference_update(self._ended)
        self._ended.clear()

    def has_connection(self, key: bytes, first_frame: int) -> bool:
        """Return whether a connection without a session has a packet that passed, in that frame or later."""
        return self._pending.get(_both_ways(key), 0) >= first_frame

    def _begin(self, event: SessionBegan) -> None:
        key = _both_ways(event.flow.key)
        self._open[key] = event.session
        if self.has_connection(key, event.flow.first_frame):
            self._pass(event.session)

    def _close(self, event: SessionEnded) -> None:
        key = _both_ways(event.ended.flow.key)
        if self._open.get(key) == event.session:
            del self._open[key]

    def _pass(self, session: int) -> None:
        if session not in self.passed:
            self.passed.add(session)
            self.fresh.append(session)
            self.n_passed += 1

    def _ask(self, values: FrameValues, number: int, key: bytes, session: int | None = None) -> None:
        """Ask about a packet, or hold what it has. session: that it is known to belong to, if its headers do not say so."""
        if session is None:
            session = self._open.get(key)
        if session in self.passed:
            return
        if self._later is not None:
            self._hold(key, number, HeldValues(self._compiled, self._now, values))
        elif self._compiled.matches(values):
            if session is not None:
                self._pass(session)
            if not key:
                return
            self._pending[key] = number
            self._pending.move_to_end(key)
            if len(self._pending) > MOST_PENDING:
                self._pending.popitem(last=False)

    def _ask_again(self, events: Sequence[Event]) -> None:
        """Ask about packets of which the engine has told something only now."""
        keys = {session: key for key, session in self._open.items()} if self._later is not None else {}
        for session in sorted({event.session for event in events if event.session >= 0}):
            key = keys.get(session, b"")
            for number, own in by_frame(event for event in events if event.session == session):
                self._told_later.take(self._recent.frame(number), self._recent.tell(number, own))
                self._ask(self._told_later, number, key, session)

    def _hold(self, key: bytes, number: int, values: HeldValues) -> None:
        if not key:
            return
        self._held.setdefault(key, []).append((number, values))
        self._held.move_to_end(key)
        self._n_held += values.n_bytes
        while self._n_held > MOST_HELD:
            forgotten, frames = self._held.popitem(last=False)
            self._n_held -= sum(held.n_bytes for _, held in frames)
            if forgotten in self._open and not self.notes:
                self.notes.append(
                    f"more than {size_text(MOST_HELD)} of packets are held for a filter: "
                    "of some sessions, packets are forgotten"
                )

    def _forget(self, key: bytes, last_frame: int) -> None:
        """Forget the packets of a connection up to a frame."""
        frames = self._held.pop(key, [])
        rest = [one for one in frames if one[0] > last_frame]
        self._n_held -= sum(held.n_bytes for number, held in frames if number <= last_frame)
        if rest:
            self._held[key] = rest
        if self._pending.get(key, last_frame + 1) <= last_frame:
            del self._pending[key]

    def _passes_at_end(self, event: SessionEnded) -> bool:
        if self._later is None:
            return False
        flow = event.ended.flow
        held = [
            (number, values)
            for number, values in self._held.get(_both_ways(flow.key), ())
            if flow.first_frame <= number <= flow.last_frame
        ]
        return self._later.passes(event, held if self._asks_packets else None)


class _RecentFrames:
    """The last frames, up to MOST_RECENT bytes."""

    def __init__(self) -> None:
        self._frames: dict[int, Frame] = {}
        self._events: dict[int, list[Event]] = {}
        self._n_bytes = 0

    def keep(self, frame: Frame) -> None:
        """Keep a copy of a frame for a while."""
        kept = Frame()
        kept.number, kept.at, kept.link_type, kept.wire_length = frame.number, frame.at, frame.link_type, frame.wire_length
        kept.interface, kept.interfaces = frame.interface, frame.interfaces
        kept.data = bytes(frame.data[frame.start : frame.end])
        kept.end = len(kept.data)
        self._frames[kept.number] = kept
        self._n_bytes += kept.end + _FRAME_COST
        while self._n_bytes > MOST_RECENT:
            oldest = next(iter(self._frames))
            self._n_bytes -= self._frames.pop(oldest).end + _FRAME_COST
            self._events.pop(oldest, None)

    def frame(self, number: int) -> Frame:
        """Return a frame; one without bytes if it is not kept any more."""
        return self._frames.get(number) or Frame()

    def tell(self, number: int, events: Sequence[Event]) -> Sequence[Event]:
        """Return these events of a frame behind those that were told before. Data is told once, because it is a stream."""
        before = self._events.get(number, [])
        if events and number in self._frames:
            self._events[number] = [*before, *(event for event in events if not isinstance(event, _OF_STREAMS))]
        return [*before, *events]


class PassingSessions(ChosenSessions):
    """Passes on what belongs to sessions that pass a filter, and connections without a session that do."""

    def __init__(self, passes: LiveFilter, listeners: Sequence[Listener], holds: bool) -> None:
        super().__init__(listeners, holds)
        self._passes = passes

    def is_chosen(self, event: Event) -> bool:
        """See `ChosenSessions.is_chosen`."""
        return event.session in self._passes.passed

    def is_chosen_at_end(self, event: SessionEnded) -> bool:
        """See `ChosenSessions.is_chosen_at_end`."""
        return event.session in self._passes.passed

    def has_connection(self, event: Event) -> bool:
        """See `ChosenSessions.has_connection`."""
        if isinstance(event, ConnectionFailed | OtherTraffic):
            return self._passes.has_connection(event.key, event.first_frame if isinstance(event, ConnectionFailed) else 1)
        return True


def _both_ways(key: bytes) -> bytes:
    """Return a key that both directions of a connection have."""
    return min(key, reverse_key(key)) if key else key
