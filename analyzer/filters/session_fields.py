"""The fields of the analyzer itself, `analyzer.*`: what the record of a session says, on every frame of the session.

`session_fields.csv` has the path of each in the record. A value that is not known is absent.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.packet_values import Occurrence
from analyzer.filters.value_strings import rows
from analyzer.packet.layer_places import KINDS

_TCP = KINDS.index("tcp")


class SessionFields:
    """The source of `analyzer.*`."""

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        facts, layers = view.facts, view.layers
        found: Found = {}
        index = layers.first(_TCP)
        if facts is None or index < 0:
            return {}
        for number in facts.sessions_at(layers.key(index), view.frame.number):
            for name, values in fields_of_record(facts.record(number)).items():
                found.setdefault(name, []).extend(values)
        return found


def fields_of_record(record: dict[str, Any]) -> Found:
    """Return the fields of a session, by its record."""
    found: Found = {}
    for name, path in _paths():
        values = [Occurrence(value, None, 1) for value in _at(record, path) if value is not None]
        if values:
            found[name] = values
    return found


def _at(value: Any, path: Sequence[str]) -> list[Any]:
    """Return the values at a path; those of every element where a list is on the way."""
    if isinstance(value, list):
        return [one for element in value for one in _at(element, path)]
    if not path:
        return [value]
    return _at(value.get(path[0]), path[1:]) if isinstance(value, dict) else []


@cache
def _paths() -> list[tuple[str, tuple[str, ...]]]:
    return [(row["name"], tuple(row["path"].split("."))) for row in rows("session_fields")]
