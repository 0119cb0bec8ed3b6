"""The rows of a field table, and the values that reading by them makes besides numbers, bytes, text, lists and messages.

Rows follow the presentation language of RFC 9846 section 3. `fields` declares them; `runner`, `writer` and `json_form` go by
them. This module is compiled (see setup.cfg) and runs the same uncompiled.
"""

from typing import Any

from analyzer.codec.registry import Names


class FieldSpec:
    """One field of a table.

    kind: one of `kinds`. name: the RFC's. width: bytes of a number, or of the length in front (0: no length in
    front, the field reaches to the end, or its length is the number in the earlier field `on`). low, high: bounds of the
    length in bytes. element: what a vector repeats or a sized field holds; of a select, the row where no case fits. table: the
    class of a structure. cases, on: of a select, the row by the number in field `on`; of extensions, the class by extension
    type. registry: name of the registry that names the numbers. text: the bytes are text. optional: the field may be missing
    at the end of its structure. known: extensions read before, by their bytes. slot: what sets the field in a message. doc: a
    line of documentation; filter: the name of the field in display filters, such as `tls.handshake.version`; both may be empty.
    """

    __slots__ = (
        "cases", "doc", "element", "filter", "high", "kind", "known", "low", "name", "names", "on", "optional", "registry", "slot",
        "table", "text", "width",
    )  # fmt: skip

    def __init__(
        self,
        kind: int,
        width: int = 0,
        low: int = 0,
        high: int = 0,
        element: Any = None,
        table: Any = None,
        cases: Any = None,
        on: str = "",
        registry: str = "",
        text: bool = False,
        optional: bool = False,
    ) -> None:
        self.name = ""
        self.kind = kind
        self.width = width
        self.low = low
        self.high = high
        self.element = element
        self.table = table
        self.cases = cases
        self.on = on
        self.registry = registry
        self.names: Names | None = None
        self.text = text
        self.optional = optional
        self.known: dict[bytes, Extension] = {}
        self.slot: Any = None
        self.doc = ""
        self.filter = ""


class Extension:
    """An extension as it came: its number, and its body as a message of its table, or as bytes where no table fits.

    n_bytes: of the body as it came. One object may stand for equal extensions of several messages.
    """

    __slots__ = ("body", "n_bytes", "type")

    def __init__(self, type: int, body: Any, n_bytes: int = 0) -> None:  # noqa: A002 - the RFC's name
        self.type = type
        self.body = body
        self.n_bytes = n_bytes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Extension) and self.type == other.type and self.body == other.body

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Extension(type={self.type}, body={self.body!r})"


class WideVarint(int):
    """A variable-length number (RFC 9000 section 16) that came in more bytes than it needs: `size` of them."""

    size: int


class Span:
    """Where a field lies: `name`, `start` and `end` in bytes from the start of what was read, `value`, and its parts."""

    __slots__ = ("children", "end", "name", "spec", "start", "value")

    def __init__(self, name: str, start: int, end: int, value: Any, spec: Any, children: "list[Span]") -> None:
        self.name = name
        self.start = start
        self.end = end
        self.value = value
        self.spec = spec
        self.children = children
