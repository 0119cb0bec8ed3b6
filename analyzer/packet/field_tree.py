"""The parts of a field tree: layers, which contain fields with their positions in the frame."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, its value, the value as text for people, and its position: `length` bytes at `offset` of the frame.

    The position of a bit field is that of the bytes that contain it. `offset` is -1 if the position is not known, for example
    of an item in a list that scapy dissected. `text` is untrusted input from the frame: code that prints it must escape it.
    """

    name: str
    value: int | str | bytes
    text: str
    offset: int
    length: int
    children: tuple["Field", ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """One header: its fields, and its `length` bytes at `offset` of the frame. A layer of plain bytes has one field, `data`."""

    name: str
    offset: int
    length: int
    fields: tuple[Field, ...]


def plain(name: str, data: bytes, start: int, end: int) -> Layer:
    """Return `data[start:end]` as a layer of plain bytes."""
    value = data[start:end]
    return Layer(name, start, len(value), (Field("data", value, value.hex(), start, len(value)),))
