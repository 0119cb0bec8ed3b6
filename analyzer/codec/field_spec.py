"""The field specs of a field table, and the special values that reading creates: extensions, wide varints and spans.

All other values are numbers, bytes, text, lists and messages. Field specs follow the presentation language of RFC 9846
section 3. `field_tables` declares them; `runner`, `writer` and `json_form` interpret them.
"""

from typing import Any

from analyzer.codec.registry import Names


class FieldSpec:
    """The specification of one field in a table.

    kind: one of `field_kinds`. name: the name in the RFC. width: bytes of a number, of a fixed field, or of the length prefix.
    Without a length prefix (0), the field extends to the end, or its length is the number in the earlier field `on`. low, high:
    bounds of the length in bytes. element: the spec of the elements of a vector, or of the content of a sized field; in a
    select, the spec if no case fits. table: the class of a structure. cases, on: in a select, the specs by the number in field
    `on`; in extensions, the classes by extension type. registry: name of the registry that names the numbers. names: the names
    of that registry, None before their first use. text: the bytes are text. optional: the field may be missing at the end of
    its structure. known: extensions that were read before, by their bytes. slot: the descriptor that sets the field in a
    message. doc: a line of documentation; filter: the name of the field in display filters, such as `tls.handshake.version`;
    size_filter: that of its length prefix. All three may be empty.
    """

    __slots__ = (
        "cases", "doc", "element", "filter", "high", "kind", "known", "low", "name", "names", "on", "optional", "registry",
        "size_filter", "slot", "table", "text", "width",
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
        self.size_filter = ""


class Extension:
    """An extension as received: its number, and its body as a message of its table, or as bytes if no table fits.

    n_bytes: length of the body as received. Equal extensions of several messages may share one object.
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
    """A variable-length number (RFC 9000 section 16) that had more bytes than it needs. size: how many bytes it had."""

    size: int


class Span:
    """The position of a field in the bytes.

    name: of the field. start, end: in bytes, from the start of what was read. value: of the field. spec: its `FieldSpec`, None
    for an extension. children: the spans of its parts.
    """

    __slots__ = ("children", "end", "name", "spec", "start", "value")

    def __init__(self, name: str, start: int, end: int, value: Any, spec: Any, children: "list[Span]") -> None:
        self.name = name
        self.start = start
        self.end = end
        self.value = value
        self.spec = spec
        self.children = children
