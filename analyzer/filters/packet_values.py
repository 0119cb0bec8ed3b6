"""What a filter asks of one packet; a caller that has a packet, or a session, answers it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from analyzer.filters.field import Field
from analyzer.filters.field_type import Value


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence of a field in a packet."""

    value: Value
    """In the Python type of the field's type (`field_type`)."""
    raw: bytes | None
    """Its bytes in the packet, for `@field`; None where it was derived and has none: a filter takes it for `""`."""
    layer: int
    """The number of its protocol among those of the same protocol in the packet, from 1: the inner `ip` is 2."""


class PacketValues(Protocol):
    """The values of the fields of one packet, decoded when they are asked for."""

    def has(self, field: Field) -> bool:
        """Return whether the field occurs; cheaper than its values."""

    def values(self, field: Field) -> Sequence[Value]:
        """Return the values of all occurrences in the order of the packet; empty where the field is absent."""

    def carried(self, field: Field) -> Sequence[bytes]:
        """Return the bytes of a protocol with all that it carries, one entry for each of its `values`, for `contains`."""

    def occurrences(self, field: Field) -> Sequence[Occurrence]:
        """Return all occurrences with what `#` and `@` ask for; a filter without these never calls it."""
