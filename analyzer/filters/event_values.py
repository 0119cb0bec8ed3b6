"""The values of fields of TLS from events alone, for filters that ask for nothing else: frames without events need no look.

The events of many frames come at once, each with the number of its frame. So no code of Python runs for a frame that
completes no record. What a filter asks of a frame's own bytes is not known here: such fields are not from events alone.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from analyzer.filters.field import Field
from analyzer.filters.field_type import Value
from analyzer.filters.frame_view import Found, FrameView, Selective
from analyzer.filters.header_places import header_fields
from analyzer.filters.packet_values import Occurrence
from analyzer.filters.value_sources import is_from_events, needs_records, source_of
from analyzer.tls.events import Event, HandshakeMessage

if TYPE_CHECKING:
    from analyzer.engine import Engine
    from analyzer.filters.compiled_filter import CompiledFilter


class EventValues:
    """Answers a filter about the events of one frame after the other (`PacketValues`).

    needs_places: whether it needs the positions of records and messages (`Engine`).
    """

    def __init__(self, fields: Collection[Field]) -> None:
        self._view = FrameView(None, None)
        names = frozenset(field.name for field in fields)
        self._sources = [kind() for kind in {source_of(name) for name in names}]
        for source in self._sources:
            if isinstance(source, Selective):
                source.want(names)
        self._found: Found | None = {}
        self.needs_places = needs_places(fields)

    def follow(self, engine: "Engine") -> None:
        """Take the engine whose events come: it has the secrets."""
        self._view.material = engine.material

    def chosen(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return those of some events that can have one of the fields."""
        return events if self.needs_places else [event for event in events if isinstance(event, HandshakeMessage)]

    def take(self, events: Sequence[Event]) -> None:
        """Take the events of the next frame."""
        self._view.events = events
        self._found = None

    def has(self, field: Field) -> bool:
        """See `PacketValues.has`."""
        return bool(self.occurrences(field))

    def values(self, field: Field) -> Sequence[Value]:
        """See `PacketValues.values`."""
        return [one.value for one in self.occurrences(field)]

    def occurrences(self, field: Field) -> Sequence[Occurrence]:
        """See `PacketValues.occurrences`."""
        found = self._found
        if found is None:
            found = self._found = {}
            for source in self._sources:
                found |= source.find(self._view)
        return found.get(field.name, ())

    def carried(self, field: Field) -> Sequence[bytes]:
        """See `PacketValues.carried`."""
        return [one.raw or b"" for one in self.occurrences(field)]


def event_values(compiled: "CompiledFilter") -> EventValues | None:
    """Return what answers a filter from events alone; None if it asks for more, or passes frames that have none."""
    known = header_fields()
    if compiled.needs_raw or compiled.needs_layers or not compiled.fields or compiled.reference_fields:
        return None
    if any(field.name in known or not is_from_events(field.name) for field in compiled.fields):
        return None
    values = EventValues(compiled.fields)
    values.take(())
    return None if compiled.matches(values) else values


def needs_places(fields: Iterable[Field]) -> bool:
    """Return whether one of the fields hangs on the positions of records, and not on handshake messages alone."""
    return any(map(needs_records, {field.name for field in fields} - header_fields().keys()))


def by_frame(events: Iterable[Event]) -> Iterator[tuple[int, list[Event]]]:
    """Yield the events of each frame, in the order of the frames; those without a frame are left out."""
    for frame, own in groupby(sorted(events, key=attrgetter("frame")), key=attrgetter("frame")):
        if frame > 0:
            yield frame, list(own)
