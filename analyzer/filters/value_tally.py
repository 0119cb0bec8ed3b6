"""Counts the values that a field has in a capture, to say why a filter passes nothing."""

from collections import Counter
from collections.abc import Sequence

from analyzer.filters.field import Field
from analyzer.filters.field_type import FieldType, Value
from analyzer.packet.addresses import address_text

MOST_FREQUENT = 5
"""Values that a sentence names."""

MAX_VALUES = 4096
"""Different values that are counted of a field; further ones are only known to be there."""

MAX_LENGTH = 40
"""Characters of a value that are shown."""

_BILLION = 1_000_000_000


class Tally:
    """The values of one field. n_frames: in how many frames it is."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.n_frames = 0
        self._counts: Counter[str] = Counter()

    def take(self, values: Sequence[Value]) -> None:
        """Take the values that a frame has."""
        if not values:
            return
        self.n_frames += 1
        if self.field.type in (FieldType.NONE, FieldType.PROTOCOL):
            return
        for value in values:
            text = value_text(self.field, value)
            if text in self._counts or len(self._counts) < MAX_VALUES:
                self._counts[text] += 1

    def sentence(self) -> str:
        """Return what there is of the field."""
        name, n_frames = self.field.name, self.n_frames
        if not n_frames:
            return f"{name}: no packet has it"
        often = " / ".join(f"{text} ({count})" for text, count in self._counts.most_common(MOST_FREQUENT))
        if not often:
            return f"{name}: packets that have it: {n_frames}"
        if len(self._counts) <= MOST_FREQUENT:
            return f"{name}: packets that have it: {n_frames}, all values: {often}"
        return f"{name}: packets that have it: {n_frames}, the most frequent values: {often}"


def value_text(field: Field, value: Value) -> str:
    """Return a value as a filter may write it. It is untrusted input from the capture: code that prints it must escape it."""
    if field.type.is_address and isinstance(value, bytes):
        return address_text(value)
    if field.type is FieldType.ETHER and isinstance(value, bytes):
        return value.hex(":")
    if isinstance(value, bytes):
        return value[: MAX_LENGTH // 3].hex(":") + ("…" if len(value) > MAX_LENGTH // 3 else "")
    if field.type is FieldType.BOOLEAN:
        return str(bool(value))
    if field.type.is_time and isinstance(value, int):
        return f"{value // _BILLION}.{value % _BILLION:09d}"
    if isinstance(value, int) and field.values is not None and value in field.values:
        return f"{_number(field, value)} {field.values[value]}"
    if isinstance(value, int):
        return _number(field, value)
    text = str(value)
    return text if len(text) <= MAX_LENGTH else text[:MAX_LENGTH] + "…"


def _number(field: Field, value: int) -> str:
    return f"0x{value:0{field.bits // 4}x}" if field.base == "hex" else str(value)
