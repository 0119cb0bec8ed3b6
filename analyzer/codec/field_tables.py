"""Field tables: each message is declared once, as a class. Its annotated attributes are the field specs in wire order.

    class ServerName(Message):
        '''RFC 6066 section 3.'''

        name_type: int = u8("name_types")
        host_name: bytes = opaque(2, low=1, text=True)

Reading and byte spans (`runner`), writing (`writer`) and JSON (`json_form`) all use the field specs. A table contains no code.
Widths and bounds are in bytes, as in the presentation language of RFC 9846 section 3. A subclass begins with the field specs of
its base class.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, dataclass_transform

from analyzer.codec import field_kinds, runner, writer
from analyzer.codec.errors import Malformed, ParseError
from analyzer.codec.field_spec import Extension, FieldSpec, Span
from analyzer.codec.json_form import json_value

__all__ = [
    "Extension", "Message", "Span", "described", "extensions", "fixed", "opaque", "read", "select", "sized", "spans", "struct",
    "u8", "u16", "u24", "u32", "u64", "varint", "vector", "write",
]  # fmt: skip

read = runner.read
spans = runner.spans
write = writer.write


def u8(registry: str = "", *, optional: bool = False) -> Any:
    """Declare a number of one byte. registry: the registry with the names of its values, "" for none."""
    return FieldSpec(field_kinds.UINT, width=1, registry=registry, optional=optional)


def u16(registry: str = "", *, optional: bool = False) -> Any:
    """Declare a number of two bytes. registry: as in `u8`."""
    return FieldSpec(field_kinds.UINT, width=2, registry=registry, optional=optional)


def u24(registry: str = "", *, optional: bool = False) -> Any:
    """Declare a number of three bytes. registry: as in `u8`."""
    return FieldSpec(field_kinds.UINT, width=3, registry=registry, optional=optional)


def u32(registry: str = "", *, optional: bool = False) -> Any:
    """Declare a number of four bytes. registry: as in `u8`."""
    return FieldSpec(field_kinds.UINT, width=4, registry=registry, optional=optional)


def u64(registry: str = "", *, optional: bool = False) -> Any:
    """Declare a number of eight bytes. registry: as in `u8`."""
    return FieldSpec(field_kinds.UINT, width=8, registry=registry, optional=optional)


def varint(registry: str = "", *, optional: bool = False) -> Any:
    """Declare a number of one, two, four or eight bytes. Its first byte contains its size (RFC 9000 section 16)."""
    return FieldSpec(field_kinds.VARINT, registry=registry, optional=optional)


def fixed(length: int, *, text: bool = False) -> Any:
    """Declare a field of exactly `length` bytes."""
    return FieldSpec(field_kinds.FIXED, width=length, text=text)


def opaque(prefix: int, *, low: int = 0, high: int = 0, text: bool = False, optional: bool = False, of: str = "") -> Any:
    """Declare bytes with a length prefix of `prefix` bytes.

    `prefix` 0: all bytes to the end, or as many as the number in the earlier field `of`. `high` 0: no bound except the prefix.
    """
    return FieldSpec(field_kinds.OPAQUE, width=prefix, low=low, high=high, text=text, optional=optional, on=of)


def vector(prefix: int, element: Any, *, low: int = 0, high: int = 0, optional: bool = False, of: str = "") -> Any:
    """Declare a list of elements, with a prefix of `prefix` bytes that contains their length in bytes.

    `prefix` 0: elements up to the end, or as many bytes as the number in the earlier field `of`.
    """
    return FieldSpec(field_kinds.VECTOR, width=prefix, low=low, high=high, element=element, optional=optional, on=of)


def struct(table: "type[Message]", *, optional: bool = False) -> Any:
    """Declare a structure: the fields of another table."""
    return FieldSpec(field_kinds.STRUCT, table=table, optional=optional)


def sized(prefix: int, content: Any, *, low: int = 0, optional: bool = False, of: str = "") -> Any:
    """Declare one field, or the fields of another table, with a length prefix, or with the length in the field `of`."""
    element = content if isinstance(content, FieldSpec) else struct(content)
    return FieldSpec(field_kinds.SIZED, width=prefix, low=low, element=element, optional=optional, on=of)


def select(on: str, cases: Mapping[int, Any], default: Any = None) -> Any:
    """Declare a field whose form depends on the number in the earlier field `on`.

    A number without a case has the form `default`; without a default, it is bytes to the end.
    """
    return FieldSpec(field_kinds.SELECT, on=on, cases=dict(cases), element=default)


def extensions(tables: "dict[int, type[Message]]", *, optional: bool = False) -> Any:
    """Declare a block of extensions with a length prefix of two bytes. tables: the tables of bodies, by extension type."""
    return FieldSpec(field_kinds.EXTENSIONS, width=2, cases=tables, optional=optional)


def described(
    spec: Any,
    doc: str,
    *,
    filter: str = "",  # noqa: A002 - Wireshark's word
    size: str = "",
    each: str = "",
    each_size: str = "",
) -> Any:
    """Return the same field spec, with a line of documentation and its names in display filters added.

    filter: the name of the field; size: of its length prefix; each: of every element of a vector; each_size: of the length
    prefix of every element. For example:

        version: int = described(u16("versions"), "the version that the client prefers", filter="tls.handshake.version")
    """
    spec.doc = doc
    spec.filter = filter
    spec.size_filter = size
    if each or each_size:
        spec.element.doc = doc
        spec.element.filter = each
        spec.element.size_filter = each_size
    return spec


class Table(type):
    """The metaclass of tables. It replaces the field specs in a class by slots."""

    specs: list[FieldSpec]

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> "Table":
        own: dict[str, FieldSpec] = {key: value for key, value in namespace.items() if isinstance(value, FieldSpec)}
        for key, spec in own.items():
            del namespace[key]
            spec.name = key
        namespace["__slots__"] = (*own, *namespace.get("__slots__", ()))
        namespace["specs"] = [spec for base in bases for spec in getattr(base, "specs", ())] + list(own.values())
        table = super().__new__(mcs, name, bases, namespace)
        for key, spec in own.items():
            spec.slot = vars(table)[key]
        return table


@dataclass_transform(
    kw_only_default=True,
    field_specifiers=(u8, u16, u24, u32, u64, varint, fixed, opaque, vector, struct, sized, select, described),
)
class Message(metaclass=Table):
    """The base class of all tables. A field that could not be read is None. trailing: bytes after the last field."""

    __slots__ = ("trailing",)
    specs: ClassVar[Sequence[FieldSpec]]

    def __init__(self, **fields: Any) -> None:
        self.trailing: bytes = fields.pop("trailing", b"")
        for spec in self.specs:
            setattr(self, spec.name, fields.pop(spec.name, None))
        if fields:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(fields)}")

    @classmethod
    def read(cls, data: bytes, base: int = 0, short: type[ParseError] = Malformed) -> tuple[Self, list[ParseError]]:
        """Read the message in `data`. Return it, and a list of everything that is wrong with it. See `runner.read`."""
        message, problems = runner.read(cls, data, 0, len(data), base, short)
        return message, problems

    def write(self) -> bytes:
        """Return the wire form. Raise ValueError if a length does not fit its field."""
        return writer.write(self)

    def json(self) -> dict[str, Any]:
        """Return the fields as JSON values, by the names in the RFC."""
        return json_value(self)

    def extension(self, number: int) -> Any:
        """Return the body of the first extension of that type, None without one. This is for messages with extensions."""
        return runner.extension_body(self, number)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, n) == getattr(other, n) for n in ("trailing", *(spec.name for spec in self.specs)))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{spec.name}={getattr(self, spec.name)!r}' for spec in self.specs)})"
