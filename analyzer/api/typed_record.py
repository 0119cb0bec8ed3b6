"""The base of the typed objects: one object of the JSON output, whose keys are attributes.

A class names the declaration of its record (`store.declaration`), and every declared key becomes a read-only property with the
declared meaning as its docstring. So the attributes are the keys. The annotations in a class say the types, for editors and
mypy, and which class a nested object gets. `tests/test_api.py` compares them with the declarations.
"""

from collections.abc import Callable
from inspect import get_annotations
from types import UnionType
from typing import Any, ClassVar, NoReturn, SupportsIndex, get_args, get_origin

import orjson

from analyzer.api.html_form import html_table
from analyzer.store.declaration import Schema

ATTRIBUTES = {"from": "sender"}
"""Keys that Python reserves, with the name of the attribute."""

Convert = Callable[[Any], Any]


class Record:
    """One JSON object. The attributes are its keys, without a value None; `from`, which Python reserves, is `sender`.

    Lists are tuples, and nested objects are records too. A value is made when it is first asked for, and nothing can be set.
    `to_dict` gives the JSON object itself.
    """

    attributes: ClassVar[tuple[str, ...]] = ()
    """The names of the attributes, in the order of the keys."""
    keys: ClassVar[tuple[str, ...]] = ()
    """The keys of the JSON object, in their order."""

    def __init_subclass__(cls, declared: Schema | None = None) -> None:
        """declared: the declaration of the record; None for a class that only has subclasses."""
        super().__init_subclass__()
        if declared is None:
            return
        hints = {name: hint for base in reversed(cls.__mro__) for name, hint in get_annotations(base).items()}
        names = []
        for key, schema in declared["properties"].items():
            name = ATTRIBUTES.get(key, key)
            names.append(name)
            setattr(cls, name, property(_getter(key, converter(hints.get(name))), doc=schema.get("description")))
        cls.attributes = tuple(names)
        cls.keys = tuple(declared["properties"])

    def __init__(self, values: dict[str, Any]) -> None:
        """values: the JSON object. It may be shared, and is never changed."""
        self._values = values
        self._made: dict[str, Any] = {}

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object, as a new one: dicts, lists, text, numbers, booleans and None."""
        copied: dict[str, Any] = orjson.loads(self._line())
        return copied

    def _line(self) -> bytes:
        return orjson.dumps(self._json(), default=bytes.hex)

    def _json(self) -> Any:
        """The JSON object; it may be shared."""
        return self._values

    def _value(self, key: str) -> Any:
        """The JSON value of a key; None if the object does not have it."""
        return self._values.get(key)

    def __repr__(self) -> str:
        return self._text(self.attributes)

    def _text(self, names: tuple[str, ...]) -> str:
        """One line with these attributes."""
        shown = ", ".join(f"{name}={_short(getattr(self, name))}" for name in names)
        return f"{type(self).__name__}({shown})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self is other or self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash(self._line())

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be copied or pickled: use to_dict()")

    def _repr_html_(self) -> str:
        """Return a table for notebooks. Everything that came from a capture is escaped."""
        return html_table(type(self).__name__, [(name, getattr(self, name)) for name in self.attributes])


def converter(hint: Any) -> Convert | None:
    """Return what makes the value of an attribute with this annotation from a JSON value; None if they are the same."""
    if get_origin(hint) is UnionType:
        inner = next((made for part in get_args(hint) if (made := converter(part)) is not None), None)
        return None if inner is None else lambda value: None if value is None else inner(value)
    if get_origin(hint) is tuple:
        parts = [converter(part) for part in get_args(hint) if part is not Ellipsis]
        part = parts[0]
        return (lambda value: tuple(value or ())) if part is None else (lambda value: tuple(map(part, value or ())))
    if not (isinstance(hint, type) and issubclass(hint, Record)):
        return None
    return lambda value: value if isinstance(value, Record) else hint(value)


def _getter(key: str, convert: Convert | None) -> Callable[[Record], Any]:
    if convert is None:
        return lambda record: record._value(key)

    def get(record: Record) -> Any:
        made = record._made
        if key not in made:
            made[key] = convert(record._value(key))
        return made[key]

    return get


def _short(value: Any) -> str:
    """A value in one line: of what has parts only how many there are."""
    if isinstance(value, Record):
        return f"{type(value).__name__}(…)"
    if isinstance(value, tuple) and any(isinstance(part, Record) for part in value):
        return f"<{len(value)} of {type(value[0]).__name__}>"
    if isinstance(value, dict):
        return f"{{{len(value)} keys}}"
    text = repr(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


_LONGEST = 120
"""Characters of a value in a `repr`."""
