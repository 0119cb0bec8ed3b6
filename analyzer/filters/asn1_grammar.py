"""Readers of structures in DER (X.690), put together as a grammar: each adds the fields of what it reads.

A `Reader` gets the tag and the content of one element. `sequence`, `sequence_of`, `choice` and `leaf` make readers that add a
field under a name, as the grammars of the RFCs are written; the field of a SEQUENCE OF is the number of its items, that of a
CHOICE the number of its alternative. An implicit tag needs nothing, because only the content is read; an explicit tag is
`inside`. What cannot be read ends the walk of its structure, and the fields before it stay.
"""

from collections.abc import Callable, Mapping

from analyzer.filters.der_parts import parts
from analyzer.filters.frame_view import Found
from analyzer.filters.packet_values import Occurrence
from analyzer.x509.der import OBJECT_IDENTIFIER, OCTET_STRING

Reader = Callable[[Found, int, bytes], None]
"""Adds the fields of an element: where to, its tag, its content."""

Convert = Callable[[bytes], object]
"""Makes the value of a field from a content; None where it is no such value, which is then left out."""

Member = tuple[frozenset[int] | None, Reader]
"""The tags that a member of a sequence can have, None for any, and its reader."""

MAX_ITEMS = 1024
"""Items that are read of one SEQUENCE OF or SET OF. Real ones have some tens; an extension of 4,000 host names exists."""

CONTEXT = 0xA0
"""The tag [0] of a constructed element; that of a primitive one is `PRIMITIVE`."""

PRIMITIVE = 0x80


def read_der(reader: Reader, der: bytes, found: Found) -> None:
    """Add the fields of the first element in `der`."""
    for tag, content in parts(der):
        reader(found, tag, content)
        return


def add(found: Found, name: str, value: object, raw: bytes) -> None:
    """Add one occurrence of a field."""
    found.setdefault(name, []).append(Occurrence(value, raw, 1))  # type: ignore[arg-type]


def ignore(found: Found, tag: int, content: bytes) -> None:
    """Read an element that has no fields."""


def leaf(name: str, convert: Convert = bytes) -> Reader:
    """Return the reader of an element without parts."""

    def read(found: Found, tag: int, content: bytes) -> None:
        value = convert(content)
        if value is not None:
            add(found, name, value, content)

    return read


def marker(name: str) -> Reader:
    """Return the reader of an element whose field is only there."""

    def read(found: Found, tag: int, content: bytes) -> None:
        add(found, name, None, content)

    return read


def member(reader: Reader, *tags: int) -> Member:
    """Return a member of a sequence that has one of these tags, or any if none is given."""
    return frozenset(tags) if tags else None, reader


def sequence(name: str, *members: Member) -> Reader:
    """Return the reader of a SEQUENCE, whose members come in this order; those that are not there are passed over.

    name: of a field that is only there; empty for none.
    """

    def read(found: Found, tag: int, content: bytes) -> None:
        if name:
            add(found, name, None, content)
        at = 0
        for inner, part in parts(content):
            while at < len(members) and not _fits(members[at], inner):
                at += 1
            if at == len(members):
                return
            members[at][1](found, inner, part)
            at += 1

    return read


def _fits(one: Member, tag: int) -> bool:
    return one[0] is None or tag in one[0]


def sequence_of(name: str, item: Reader) -> Reader:
    """Return the reader of a SEQUENCE OF or SET OF. name: of the field with the number of items; empty for none."""

    def read(found: Found, tag: int, content: bytes) -> None:
        items = list(parts(content))
        if name:
            add(found, name, len(items), content)
        for inner, part in items[:MAX_ITEMS]:
            item(found, inner, part)

    return read


def choice(name: str, alternatives: Mapping[int, tuple[int, Reader]]) -> Reader:
    """Return the reader of a CHOICE. alternatives: by tag, the number of each and its reader. name: empty for no field."""

    def read(found: Found, tag: int, content: bytes) -> None:
        if tag in alternatives:
            number, reader = alternatives[tag]
            if name:
                add(found, name, number, content)
            reader(found, tag, content)

    return read


def inside(reader: Reader) -> Reader:
    """Return the reader of an element with one element in it: an explicit tag, or an octet string."""

    def read(found: Found, tag: int, content: bytes) -> None:
        read_der(reader, content, found)

    return read


def typed(name: str, convert: Convert, kinds: Mapping[bytes, Reader], other: Reader = ignore) -> Reader:
    """Return the reader of a structure that begins with an object identifier, on which the elements after it depend.

    name, convert: of the field with the object identifier. kinds: by its content, the reader of what follows it.
    """

    def read(found: Found, tag: int, content: bytes) -> None:
        kind = b""
        for inner, part in parts(content):
            if not kind and inner == OBJECT_IDENTIFIER:
                kind = part
                leaf(name, convert)(found, inner, part)
            elif kind:
                kinds.get(kind, other)(found, inner, part)
            else:
                return

    return read


def behind(first: Reader, second: Reader) -> Reader:
    """Return a reader that adds the fields of both readers, those of the first one first."""

    def read(found: Found, tag: int, content: bytes) -> None:
        first(found, tag, content)
        second(found, tag, content)

    return read


def in_octets(reader: Reader) -> Reader:
    """Return the reader of an OCTET STRING that has an element in it; other elements have no fields."""
    inner = inside(reader)

    def read(found: Found, tag: int, content: bytes) -> None:
        if tag == OCTET_STRING:
            inner(found, tag, content)

    return read
