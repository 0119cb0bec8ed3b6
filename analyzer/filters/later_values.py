"""Asks a filter when a session has ended: about what its record says, and what each of its packets had.

This is for live traffic, which cannot be read twice. What a packet has of the fields that need no future is held by value
(`HeldValues`), because the packet itself is gone when the rest is known.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analyzer.filters.capture_facts import CaptureFacts
from analyzer.filters.event_values import EventValues
from analyzer.filters.field import Field
from analyzer.filters.field_type import FieldType, Value
from analyzer.filters.frame_view import Found, FrameView, Source
from analyzer.filters.header_places import header_fields
from analyzer.filters.packet_values import Occurrence
from analyzer.filters.session_fields import fields_of_record
from analyzer.filters.value_sources import WITH_BYTES, needs_engine, needs_facts, source_of
from analyzer.tls.events import SessionEnded

if TYPE_CHECKING:
    from analyzer.filters.compiled_filter import CompiledFilter
    from analyzer.filters.packet_values import PacketValues
    from analyzer.store.chain_verdicts import Chains

_OWN = "analyzer"
_VALUE_COST = 100
"""Bytes of memory of a value beside its bytes."""


def is_later(field: Field) -> bool:
    """Return whether a field is known when its session has ended, and not when the packet comes.

    What the engine tells of a session is known when it tells it, although a first reading would find more outside of TLS.
    """
    return field.name not in header_fields() and needs_facts(field.name) and not needs_engine(field.name)


def hangs_on_order(compiled: "CompiledFilter") -> bool:
    """Return whether a filter asks for what would be wrong if a packet were looked at once more, after others."""
    return compiled.needs_raw or any(
        field.name in WITH_BYTES or (field.family == "tcp" and field.name not in header_fields()) for field in compiled.fields
    )


def asks_packets(compiled: "CompiledFilter") -> bool:
    """Return whether a filter asks for what packets have, and not only for what is known when their session has ended."""
    return not compiled.fields or not all(map(is_later, compiled.fields))


def load(compiled: "CompiledFilter") -> None:
    """Import the modules that find the fields of a filter."""
    for field in compiled.fields:
        if field.name not in header_fields():
            source_of(field.name)


class HeldValues:
    """The values that one packet has of some fields (`PacketValues`). n_bytes: of memory, as estimated."""

    __slots__ = ("_carried", "_occurrences", "_values", "n_bytes")

    def __init__(self, compiled: "CompiledFilter", fields: Sequence[Field], values: "PacketValues") -> None:
        """fields: of the filter. values: of the packet."""
        self._values: dict[Field, tuple[Value, ...]] = {}
        self._occurrences: dict[Field, tuple[Occurrence, ...]] = {}
        self._carried: dict[Field, tuple[bytes, ...]] = {}
        self.n_bytes = 3 * _VALUE_COST
        for field in fields:
            found = tuple(values.values(field))
            if not found:
                continue
            self._values[field] = found
            if compiled.needs_layers or compiled.needs_raw:
                self._occurrences[field] = tuple(values.occurrences(field))
            if field.type is FieldType.PROTOCOL:
                self._carried[field] = tuple(values.carried(field))
            parts = (*found, *(one.raw for one in self._occurrences.get(field, ())), *self._carried.get(field, ()))
            self.n_bytes += sum(_VALUE_COST + (len(part) if isinstance(part, bytes | str) else 0) for part in parts)

    def has(self, field: Field) -> bool:
        """See `PacketValues.has`."""
        return field in self._values

    def values(self, field: Field) -> Sequence[Value]:
        """See `PacketValues.values`."""
        return self._values.get(field, ())

    def occurrences(self, field: Field) -> Sequence[Occurrence]:
        """See `PacketValues.occurrences`."""
        return self._occurrences.get(field, ())

    def carried(self, field: Field) -> Sequence[bytes]:
        """See `PacketValues.carried`."""
        return self._carried.get(field, ())


class LaterValues:
    """Asks a filter with fields that need the end of the session."""

    def __init__(self, compiled: "CompiledFilter", chains: "Chains") -> None:
        """chains: judge certificates, if the filter asks for the record."""
        later = [field for field in compiled.fields if is_later(field)]
        names = {field.family for field in later}
        self._compiled = compiled
        self._chains = chains
        self._has_own = _OWN in names
        self._has_http = bool(names - {_OWN})
        self._nothing = HeldValues(compiled, (), EventValues(()))
        kinds = {source_of(field.name) for field in later if field.family != _OWN}
        self._sources: list[Source] = [kind() for kind in kinds]

    def passes(self, event: SessionEnded, packets: Sequence[tuple[int, HeldValues]] | None) -> bool:
        """Return whether a packet of a session that has ended passes.

        packets: its packets, each with the number of its frame; None if the filter asks for nothing that they have.
        """
        facts = CaptureFacts(self._chains, records=self._has_own, exchanges=self._has_http)
        facts.take((event,))
        own = fields_of_record(facts.record(event.session)) if self._has_own else {}
        view = FrameView(None, facts)
        if packets is None:
            told = {*facts.requests, *facts.responses, *facts.sections}
            packets = [(number, self._nothing) for number in (0, *sorted(told))]
        for number, held in packets:
            view.frame.number = number
            found = dict(own)
            for source in self._sources:
                found |= source.find(view)
            if self._compiled.matches(_Joined(held, found)):
                return True
        return False


class _Joined:
    """What a packet had, together with what was known later (`PacketValues`)."""

    __slots__ = ("_found", "_held")

    def __init__(self, held: HeldValues, found: Found) -> None:
        self._held = held
        self._found = found

    def has(self, field: Field) -> bool:
        """See `PacketValues.has`."""
        return bool(self.values(field))

    def values(self, field: Field) -> Sequence[Value]:
        """See `PacketValues.values`."""
        found = self._found.get(field.name)
        return self._held.values(field) if found is None else [one.value for one in found]

    def occurrences(self, field: Field) -> Sequence[Occurrence]:
        """See `PacketValues.occurrences`."""
        found = self._found.get(field.name)
        return self._held.occurrences(field) if found is None else found

    def carried(self, field: Field) -> Sequence[bytes]:
        """See `PacketValues.carried`."""
        found = self._found.get(field.name)
        return self._held.carried(field) if found is None else [one.raw or b"" for one in found]
