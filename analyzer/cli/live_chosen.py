"""Passes on to other listeners only what belongs to chosen sessions of a live run, in the order in which it happened.

Whether a session is chosen may be known when it begins, on the way, or at its end. What happens in it before that is held, up
to MOST_HELD bytes of all sessions. If there is no more room, what happens in between is not passed on, and a note says so.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from analyzer.engine.run import Listener
from analyzer.text.formatting import size_text
from analyzer.tls.events import Data, Event, HandshakeMessage, SessionEnded

MOST_HELD = 32 << 20
"""Bytes of memory, as estimated, of events of sessions of which it is not known yet whether they are chosen."""

_EVENT_COST = 256
"""Bytes of memory for an event, beside its data."""


class ChosenSessions(Listener, ABC):
    """Passes on what belongs to chosen sessions. A subclass says which these are.

    others: how many sessions that have ended were not chosen. notes: grow as the run goes on.
    """

    def __init__(self, listeners: Sequence[Listener], holds: bool = True) -> None:
        """holds: whether the listeners need what happened before a session was chosen; its end they get in any case."""
        self.others = 0
        self.notes: list[str] = []
        self._listeners = listeners
        self._holds = holds
        self._chosen: set[int] = set()
        self._held: dict[int, list[Event]] = {}
        self._n_held = 0

    @abstractmethod
    def is_chosen(self, event: Event) -> bool:
        """Return whether the session of an event is known to be chosen. It is asked until it is."""

    @abstractmethod
    def is_chosen_at_end(self, event: SessionEnded) -> bool:
        """Return whether a session that has ended, and was not chosen before, is chosen."""

    def has_connection(self, event: Event) -> bool:
        """Return whether an event that belongs to no session is passed on."""
        return True

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        passed: list[Event] = []
        for event in events:
            number = event.session
            if number < 0:
                passed += [event] if self.has_connection(event) else []
                continue
            known = number in self._chosen
            if not known and self.is_chosen(event):
                self._chosen.add(number)
                passed += self._released(number)
                known = True
            if known:
                passed.append(event)
            elif not isinstance(event, SessionEnded):
                self._hold(event)
            if isinstance(event, SessionEnded):
                self._chosen.discard(number)
                passed += [] if known else self._end(event)
        for listener in self._listeners:
            listener.take(passed)

    def end_turn(self) -> None:
        """See `Listener.end_turn`."""
        for listener in self._listeners:
            listener.end_turn()

    def close(self) -> None:
        """See `Listener.close`."""
        for listener in self._listeners:
            listener.close()

    def _hold(self, event: Event) -> None:
        if not self._holds:
            return
        if self._n_held < MOST_HELD:
            self._held.setdefault(event.session, []).append(event)
            self._n_held += _cost(event)
        elif not self.notes:
            self.notes.append(
                f"more than {size_text(MOST_HELD)} are held of sessions that may be chosen: of some, events are left out"
            )

    def _released(self, number: int) -> list[Event]:
        """Return what was held of a session, and hold it no longer."""
        held = self._held.pop(number, [])
        self._n_held -= sum(map(_cost, held))
        return held

    def _end(self, event: SessionEnded) -> list[Event]:
        """Decide about a session that has ended, and return what was not passed on of it."""
        held = self._released(event.session)
        if self.is_chosen_at_end(event):
            return [*held, event]
        self.others += 1
        return []


def _cost(event: Event) -> int:
    """Return how much memory an event takes, about."""
    data = event.data if isinstance(event, Data) else event.raw if isinstance(event, HandshakeMessage) else b""
    return _EVENT_COST + len(data)
