"""What a field tree is made of: layers, and in them fields with their places in the frame."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, its value, that value as people read it, and `length` bytes at `offset` of the frame.

    A field of bits has the place of the bytes that hold it. `offset` is -1 where the place is not known, as of what stands in
    a list that a foreign dissector read. `text` comes from the frame as it is: whoever prints it makes it harmless.
    """

    name: str
    value: int | str | bytes
    text: str
    offset: int
    length: int
    children: tuple["Field", ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """One header: its fields, and its `length` bytes at `offset` of the frame. Plain bytes have one field, `data`."""

    name: str
    offset: int
    length: int
    fields: tuple[Field, ...]


def plain(name: str, data: bytes, start: int, end: int) -> Layer:
    """`data[start:end]` as a layer of bytes."""
    value = data[start:end]
    return Layer(name, start, len(value), (Field("data", value, value.hex(), start, len(value)),))
