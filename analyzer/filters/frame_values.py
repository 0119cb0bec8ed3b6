"""The values of the fields of one frame: what a filter asks for, and no more.

A filter that asks for headers only costs what finding the headers costs. Other fields have sources (`frame_view.Source`), one
for each family: only the sources that the fields of the filter need are made, and a source looks into a frame only if the
filter comes to ask for it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from analyzer.capture.frame import Frame
from analyzer.filters.field import Field
from analyzer.filters.field_type import FieldType, Value
from analyzer.filters.frame_view import Found, FrameView, Selective, Source
from analyzer.filters.header_places import header_fields
from analyzer.filters.packet_values import Occurrence
from analyzer.filters.value_sources import needs_engine, needs_facts, source_of
from analyzer.flows.fragments import Defragmenter
from analyzer.packet.addresses import address_text
from analyzer.packet.layer_places import BOOLEAN, HEADER, LayerPlaces, Place

if TYPE_CHECKING:
    from analyzer.engine import Engine
    from analyzer.filters.capture_facts import CaptureFacts
    from analyzer.tls.events import Event

_ALL = 1 << 30
_NOTHING: list[Occurrence] = []


def needs_of(fields: Iterable[Field]) -> tuple[bool, bool]:
    """Return whether one of the fields needs an engine, and whether one needs the facts of a first reading."""
    names = [field.name for field in fields if field.name not in header_fields()]
    return any(map(needs_engine, names)), any(map(needs_facts, names))


class FrameValues:
    """Answers a filter about one frame after the other (`PacketValues`). Every frame goes through `take`, in their order.

    layers, defragmenter: the headers of the frame, and what puts IP datagrams together for them.
    """

    def __init__(self, fields: Iterable[Field], engine: "Engine | None" = None, facts: "CaptureFacts | None" = None) -> None:
        """fields: of the filters that will ask. engine: that gets every frame before it comes here; facts: of a first reading.

        `needs_of` says which of them the fields need. Without them such a field is absent.
        """
        self._view = FrameView(engine, facts)
        self.layers = self._view.layers
        self.defragmenter = Defragmenter()
        places = header_fields()
        self._places: dict[Field, tuple[Place, ...]] = {}
        self._sources: dict[Field, int] = {}
        self._all: list[Source] = []
        made: dict[object, int] = {}
        fields = list(fields)
        names = frozenset(field.name for field in fields)
        for field in fields:
            if field.name in places:
                self._places[field] = places[field.name][1]
                continue
            kind = source_of(field.name)
            if kind not in made:
                made[kind] = len(self._all)
                source = kind()
                if isinstance(source, Selective):
                    source.want(names)
                self._all.append(source)
            self._sources[field] = made[kind]
        self._found: list[Found | None] = [None] * len(self._all)

    def take(self, frame: Frame, events: Sequence["Event"] = ()) -> None:
        """Take the next frame. events: those that it caused in the engine."""
        layers = self.layers
        if layers.find(frame.data, frame.start, frame.end, frame.link_type, frame.wire_length):
            datagram = self.defragmenter.feed(layers.packet, frame.at, frame.number)
            if datagram is not None:
                layers.find_rest(datagram)
            self.defragmenter.take_reports()
        self.take_found(frame, events)

    def take_found(self, frame: Frame, events: Sequence["Event"]) -> None:
        """The same for a frame whose headers are in `layers` already."""
        view = self._view
        view.frame, view.events = frame, events
        for index, source in enumerate(self._all):
            self._found[index] = None
            source.take(view)

    def note_shown(self) -> None:
        """Note that the frame that was taken last is shown."""
        self._view.shown = self._view.frame.at

    def key(self) -> bytes:
        """Return addresses and ports of the innermost TCP or UDP header, as `Packet.key`; empty without one."""
        return self._view.layers.packet.key()

    def has(self, field: Field) -> bool:
        """See `PacketValues.has`."""
        return bool(self.values(field))

    def values(self, field: Field) -> Sequence[Value]:
        """See `PacketValues.values`."""
        places = self._places.get(field)
        if places is None:
            return [one.value for one in self._occurrences(field)]
        values: list[Value] = self._view.layers.values(places)  # type: ignore[assignment]
        return (
            [address_text(value) for value in values if isinstance(value, bytes)] if field.type is FieldType.STRING else values
        )

    def occurrences(self, field: Field) -> Sequence[Occurrence]:
        """See `PacketValues.occurrences`."""
        places = self._places.get(field)
        if places is None:
            return self._occurrences(field)
        layers = self._view.layers
        return [one for index in range(layers.count) for one in _in_header(layers, index, places, field)]

    def carried(self, field: Field) -> Sequence[bytes]:
        """Return the bytes of a protocol with all that it carries, of each of its occurrences."""
        places = self._places.get(field)
        if places is None:
            return [one.raw or b"" for one in self._occurrences(field)]
        layers = self._view.layers
        kinds = {place.kind for place in places}
        return [layers.behind(index, _ALL) for index in range(layers.count) if layers.kind(index) in kinds]

    def _occurrences(self, field: Field) -> list[Occurrence]:
        index = self._sources[field]
        found = self._found[index]
        if found is None:
            found = self._found[index] = self._all[index].find(self._view)
        return found.get(field.name, _NOTHING)


def _in_header(layers: LayerPlaces, index: int, places: tuple[Place, ...], field: Field) -> Iterator[Occurrence]:
    """Yield the occurrences of a field in the header of that index."""
    for place in places:
        if layers.kind(index) != place.kind:
            continue
        raw = layers.octets(index, place)
        if raw is None or (not raw and place.form != HEADER):
            continue
        value: Value = raw
        if place.form <= BOOLEAN:
            value = layers.number(index, place) if field.type is not FieldType.BOOLEAN else layers.number(index, place) != 0
        elif field.type is FieldType.STRING:
            value = address_text(raw)
        yield Occurrence(value, raw, layers.layer_number(index))
