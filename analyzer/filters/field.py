"""One field that can be filtered, and the table of all of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from analyzer.filters.field_type import FieldType

MAX_NEAREST = 3
"""How many names are proposed for one that is unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A field. Two of them are the same only if they are one object, so that they can be keys."""

    name: str
    """As the filter has it: `tcp.srcport`; that of a protocol has no dot as a rule."""
    type: FieldType
    label: str
    """What it is in English, as Wireshark's field lists say it: `Source Port`."""
    values: Mapping[int, str] | None = None
    """The value strings: what each number is called; of a Boolean, the words of 1 and 0."""
    base: str = "dec"
    """How its numbers are shown: `dec`, `hex`, `oct`, `dec_hex`, `hex_dec` or `none`."""
    bits: int = 0
    """The width of its number (8 to 64); of a float 32 or 64; 0 where it has none."""
    deprecated: str | None = None
    """The name that is to be used in its place, where this one is deprecated."""

    @property
    def type_name(self) -> str:
        """Wireshark's name of the type, such as `FT_UINT16`."""
        names = {FieldType.IPV4: "IPv4", FieldType.IPV6: "IPv6", FieldType.FLOAT: "DOUBLE"}
        wide = self.type in (FieldType.UINT, FieldType.INT)
        return f"FT_{names.get(self.type, self.type.name)}{self.bits if wide else ''}"

    @property
    def family(self) -> str:
        """The part of the name before the first dot: `tcp`."""
        return self.name.split(".", 1)[0]


class FieldTable:
    """Fields by their names."""

    def __init__(self, fields: Iterable[Field], others: Callable[[], Iterable[Field]] = tuple) -> None:
        """others: returns more fields. It is called once, when more is asked for than the first ones."""
        self._first: dict[str, Field] = {}
        self._others: Callable[[], Iterable[Field]] = others
        self._add(self._first, fields)

    def __iter__(self) -> Iterator[Field]:
        return iter(self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def get(self, name: str) -> Field | None:
        """Return the field with exactly this name, or None."""
        return self._first.get(name) or self._fields.get(name)

    @cached_property
    def _fields(self) -> dict[str, Field]:
        fields = dict(self._first)
        self._add(fields, self._others())
        return fields

    @staticmethod
    def _add(table: dict[str, Field], fields: Iterable[Field]) -> None:
        for field in fields:
            if field.name in table:
                raise ValueError(f"the field {field.name} is declared twice")
            table[field.name] = field

    def nearest(self, name: str) -> list[str]:
        """Return the names that `name` may be a misspelling of, the likeliest first; at most `MAX_NEAREST`."""
        from difflib import get_close_matches  # nothing but a mistake needs it

        wanted = name.lower()
        if wanted in self._fields:
            return [wanted]
        within = [known for known in self._fields if known.endswith("." + wanted)] if "." not in wanted else []
        close = get_close_matches(wanted, self._fields, MAX_NEAREST, 0.75)
        return list(dict.fromkeys(close + sorted(within, key=len)))[:MAX_NEAREST]

    def families(self) -> dict[str, list[Field]]:
        """Return the fields by the part of their name before the first dot, in the order of declaration."""
        found: dict[str, list[Field]] = {}
        for field in self._fields.values():
            found.setdefault(field.family, []).append(field)
        return found
