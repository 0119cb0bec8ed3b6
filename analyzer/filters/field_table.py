"""The table of all fields that can be filtered."""

from collections.abc import Iterable
from functools import cache

from analyzer.filters.field import Field, FieldTable
from analyzer.filters.header_places import header_fields


@cache
def field_table() -> FieldTable:
    """Return the table of all fields, always the same object. All but those of headers are read when one is asked for."""
    return FieldTable((field for field, _ in header_fields().values()), _others)


def _others() -> Iterable[Field]:
    from analyzer.filters.value_sources import listed_fields

    return listed_fields()


def known_field(name: str) -> Field:
    """Return the field with a name that the program itself asks for. Raises KeyError."""
    found = field_table().get(name)
    if found is None:
        raise KeyError(name)
    return found
