"""Reads messages from bytes by field tables, and finds the position of each field. `writer` does the inverse.

A table is a class with a list of field specs (`specs`) in wire order. The runner interprets the field specs one by one, between
two positions. It raises no error for the content of the bytes. A field that exceeds its end sets `fault`. The fault ends all
inner fields, up to the nearest region whose length the bytes declare (a vector, an extension). That region adds the fault to
`problems` and keeps what was read. Reading continues after the region.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.codec.byte_slices import slice_bytes
from analyzer.codec.errors import Incomplete, Malformed, ParseError
from analyzer.codec.field_kinds import EXTENSIONS, FIXED, OPAQUE, SELECT, STRUCT, UINT, VARINT, VECTOR
from analyzer.codec.field_spec import Extension, FieldSpec, Span, WideVarint
from analyzer.codec.registry import registry

if TYPE_CHECKING:
    import cython

_COMPILED: bool = not __file__.endswith(".py")

KNOWN_LIMIT, LONGEST_KNOWN = 4096, 256
"""Limits of the cache of extensions by their bytes: the number of extensions, and the length of each in bytes.

A client sends many of its extensions again in every hello.
"""

DEPTH_LIMIT = 16
"""Maximum depth of structures in structures that a reader follows. The deepest table of TLS has 7."""


class Reader:
    """Reads one message from `data[start:end]`. Offsets in problems and spans count from `base`."""

    __slots__ = ("base", "data", "depth", "fault", "limit", "pos", "problems", "short", "spans")

    data: bytes
    pos: int
    limit: int
    base: int
    problems: list[ParseError]
    fault: ParseError | None
    short: type[ParseError]
    spans: list[Span] | None
    depth: int

    def note(self, at: cython.Py_ssize_t, why: str) -> None:
        """Add a problem of the current field, and continue."""
        self.problems.append(Malformed("", at - self.base, why))

    def need(self, need: cython.longlong, end: cython.Py_ssize_t) -> None:
        """Set the fault: a field needs more bytes than there are before `end`."""
        kind = self.short if end == self.limit else Malformed
        self.fault = kind("", self.pos - self.base, f"{need} bytes wanted, {end - self.pos} left")

    def is_cut(self) -> cython.bint:
        """Return whether the field ends early only because the capture lacks the end of the message: it has no value then."""
        return self.fault is not None and type(self.fault) is Incomplete

    def note_fault(self) -> None:
        """Add the fault to the problems, and clear it. Call it at the end of a region with a declared length."""
        if self.fault is not None:
            self.problems.append(self.fault)
            self.fault = None

    def number(self, width: cython.Py_ssize_t) -> cython.longlong:
        """Read the big-endian number at the position, and move past it. Its bytes must be present."""
        data: bytes = self.data
        pos: cython.Py_ssize_t = self.pos
        self.pos = pos + width
        if width == 2:
            return data[pos] << 8 | data[pos + 1]
        if width == 1:
            return data[pos]
        value: cython.longlong = 0
        i: cython.Py_ssize_t
        for i in range(pos, pos + width):
            value = value << 8 | data[i]
        return value

    def varint(self, end: cython.Py_ssize_t) -> Any:
        """Read the variable-length number at the position (RFC 9000 section 16), and move past it."""
        data: bytes = self.data
        pos: cython.Py_ssize_t = self.pos
        size: cython.Py_ssize_t = 1
        value: cython.longlong = 0
        i: cython.Py_ssize_t
        if pos < end:
            size = 1 << (data[pos] >> 6)
        if size > end - pos:
            self.need(size, end)
            return None
        value = data[pos] & 0x3F
        for i in range(pos + 1, pos + size):
            value = value << 8 | data[i]
        self.pos = pos + size
        if size > 1 and value >> (4 * size - 2) == 0:
            wide = WideVarint(value)
            wide.size = size
            return wide
        return value

    def structure(self, table: Any, end: cython.Py_ssize_t) -> Any:
        """Read a message of `table`. A field that cannot be read because of a fault is None."""
        message = blank(table) if _COMPILED else table.__new__(table)  # type: ignore[name-defined]  # noqa: F821 - `blank` is in the .pxd
        specs: list[FieldSpec] = table.specs
        spec: FieldSpec
        before: cython.Py_ssize_t
        index: cython.Py_ssize_t
        if self.depth >= DEPTH_LIMIT:
            self.fault = Malformed("", self.pos - self.base, f"structures nested deeper than {DEPTH_LIMIT}")
        self.depth += 1
        for spec in specs:
            if self.fault is not None:
                setattr(message, spec.name, None)
                continue
            before = len(self.problems)
            value = self.field(spec, end, message)
            if _COMPILED:
                fill(spec.slot, message, value)  # type: ignore[name-defined]  # noqa: F821 - `fill` is in the .pxd
            else:
                setattr(message, spec.name, value)
            if self.fault is not None:
                self.fault.field = spec.name + "." + self.fault.field if self.fault.field else spec.name
            for index in range(before, len(self.problems)):
                inner = self.problems[index].field
                self.problems[index].field = spec.name if not inner else spec.name + ("" if inner[0] == "[" else ".") + inner
        self.depth -= 1
        message.trailing = b""
        return message

    def field(self, spec: FieldSpec, end: cython.Py_ssize_t, owner: Any) -> Any:
        """Read the value of one field spec, and its span if spans are requested."""
        if self.spans is None:
            return self.value(spec, end, owner)
        outer: list[Span] = self.spans
        start: cython.Py_ssize_t = self.pos
        self.spans = []
        value = self.value(spec, end, owner)
        outer.append(Span(spec.name, start - self.base, self.pos - self.base, value, spec, self.spans))
        self.spans = outer
        return value

    def value(self, spec: FieldSpec, end: cython.Py_ssize_t, owner: Any) -> Any:
        """Read the value of one field spec, between the position and `end`."""
        kind: cython.int = spec.kind
        start: cython.Py_ssize_t = self.pos
        stop: cython.Py_ssize_t
        n: cython.longlong
        if spec.optional and start == end:
            return None
        if kind == UINT:
            if spec.width > end - start:
                self.need(spec.width, end)
                return None
            if spec.width == 8:  # may exceed the largest C number
                self.pos = start + 8
                return int.from_bytes(slice_bytes(self.data, start, self.pos), "big")
            return self.number(spec.width)
        if kind == FIXED:
            if spec.width > end - start:
                self.need(spec.width, end)
                self.pos = end
                return None if self.is_cut() else slice_bytes(self.data, start, end)
            self.pos = start + spec.width
            return slice_bytes(self.data, start, self.pos)
        if kind == STRUCT:
            return self.structure(spec.table, end)
        if kind == SELECT:
            return self.chosen(spec, end, owner)
        if kind == VARINT:
            return self.varint(end)
        # The other kinds have a length prefix, or a length in an earlier field, or extend to the end.
        stop = end
        if spec.width > 0 or spec.on:
            if spec.on:
                n = getattr(owner, spec.on)
            elif spec.width > end - start:
                self.need(spec.width, end)
                return None
            else:
                n = self.number(spec.width)
            if n > end - self.pos:
                self.need(n, end)
            else:
                stop = self.pos + n
            if n < spec.low or (spec.high and n > spec.high):
                self.note(start, f"length {n} is not in {spec.low}..{spec.high}")
        if kind == OPAQUE:
            start = self.pos
            self.pos = stop
            if self.is_cut() or (spec.width == 0 and not spec.on and stop == self.limit and self.short is Incomplete):
                return None
            return slice_bytes(self.data, start, stop)
        return self.region(spec, stop)

    def region(self, spec: FieldSpec, stop: cython.Py_ssize_t) -> Any:
        """Read the contents of a vector, a sized field or extensions: a separate region that ends at `stop`."""
        kind: cython.int = spec.kind
        over: ParseError | None = self.fault  # the region itself may exceed its end; its contents are still read
        self.fault = None
        element: FieldSpec
        if kind == VECTOR:
            element = spec.element
            value = self.numbers(spec, stop) if element.kind == UINT else self.elements(element, stop)
        elif kind == EXTENSIONS:
            value = self.extensions(spec, stop)
        else:
            value = self.value(spec.element, stop, None)
            if self.pos < stop and self.fault is None:
                self.note(self.pos, f"{stop - self.pos} bytes left over")
                if spec.element.kind == STRUCT:
                    value.trailing = slice_bytes(self.data, self.pos, stop)
        if over is None:
            self.note_fault()
        else:
            self.fault = over
        self.pos = stop
        return value

    def numbers(self, spec: FieldSpec, stop: cython.Py_ssize_t) -> list[int]:
        """Read a vector of numbers."""
        element: FieldSpec = spec.element
        width: cython.Py_ssize_t = element.width
        data: bytes = self.data
        values: list[int] = []
        start: cython.Py_ssize_t = self.pos
        pos: cython.Py_ssize_t = start
        if width == 2:
            while stop - pos >= 2:
                values.append(data[pos] << 8 | data[pos + 1])
                pos += 2
        else:
            while width <= stop - self.pos:
                values.append(self.number(width))
            pos = self.pos
        if pos != stop:
            # A vector without a length extends to the end of the bytes, so it may be truncated.
            kind = self.short if stop == self.limit and spec.width == 0 and not spec.on else Malformed
            self.problems.append(kind("", start - self.base, f"{stop - start} bytes is no whole number of uint{8 * width}"))
        if self.spans is not None:
            index: cython.Py_ssize_t
            for index in range(len(values)):
                at: cython.Py_ssize_t = start + index * width - self.base
                self.spans.append(Span(f"[{index}]", at, at + width, values[index], element, []))
        return values

    def elements(self, element: FieldSpec, stop: cython.Py_ssize_t) -> list[Any]:
        """Read a vector of structures or byte strings."""
        values: list[Any] = []
        before: cython.Py_ssize_t
        start: cython.Py_ssize_t
        index: cython.Py_ssize_t
        while self.pos < stop and self.fault is None:
            before = len(self.problems)
            start = self.pos
            values.append(self.field(element, stop, None))
            if self.spans is not None:
                self.spans[len(self.spans) - 1].name = f"[{len(values) - 1}]"
            if self.fault is not None:
                self.fault.field = f"[{len(values) - 1}].{self.fault.field}" if self.fault.field else f"[{len(values) - 1}]"
            elif self.pos == start:
                self.fault = Malformed(f"[{len(values) - 1}]", start - self.base, "an element of no bytes")
            for index in range(before, len(self.problems)):
                inner = self.problems[index].field
                self.problems[index].field = f"[{len(values) - 1}].{inner}" if inner else f"[{len(values) - 1}]"
        return values

    def extensions(self, spec: FieldSpec, stop: cython.Py_ssize_t) -> list[Extension]:
        """Read extensions up to `stop`. Each body is read by its table; a body that does not fit its table is kept as bytes."""
        values: list[Extension] = []
        before: cython.Py_ssize_t
        start: cython.Py_ssize_t
        last: cython.Py_ssize_t
        index: cython.Py_ssize_t
        length: cython.longlong
        number: cython.longlong
        known: dict[bytes, Extension] = spec.known
        key: bytes
        while self.pos < stop:
            key = b""
            start = self.pos
            if stop - start < 4:
                self.need(4, stop)
                break
            number = self.number(2)
            length = self.number(2)
            last = stop
            over: ParseError | None = None
            if length > stop - self.pos:
                self.need(length, stop)
                over = self.fault
                self.fault = None
            else:
                last = self.pos + length
                if length <= LONGEST_KNOWN and self.spans is None and not differs_each_time(number):
                    key = slice_bytes(self.data, start, last)
                    seen: Extension | None = known.get(key)
                    if seen is not None:
                        values.append(seen)
                        self.pos = last
                        continue
            before = len(self.problems)
            body = self.body(None if type(over) is Incomplete else spec.cases.get(number), number, start, last)
            for index in range(before, len(self.problems)):
                name = registry("extensions").name(number)
                self.problems[index].field = f"{name}.{self.problems[index].field}" if self.problems[index].field else name
            self.pos = last
            extension: Extension = Extension.__new__(Extension)
            extension.type = number
            extension.body = body
            extension.n_bytes = last - start - 4
            values.append(extension)
            if len(key) > 0 and len(self.problems) == before:
                if len(known) >= KNOWN_LIMIT:
                    known.clear()
                known[key] = extension
            if over is not None:
                over.field = registry("extensions").name(number)
                self.fault = over
                break
        return values

    def body(self, table: Any, number: cython.longlong, start: cython.Py_ssize_t, last: cython.Py_ssize_t) -> Any:
        """Read an extension's body, and its span if spans are requested."""
        first: cython.Py_ssize_t = self.pos
        before: cython.Py_ssize_t = len(self.problems)
        outer = self.spans
        if outer is not None:
            self.spans = []
        if table is None:
            value: Any = slice_bytes(self.data, first, last)
        else:
            value = self.structure(table, last)
            if self.fault is None and self.pos != last:
                self.note(self.pos, f"{last - self.pos} bytes left over")
                value.trailing = slice_bytes(self.data, self.pos, last)
            elif self.fault is not None or len(self.problems) != before:
                value = slice_bytes(self.data, first, last)  # a wrong body is evidence: keep its bytes unchanged
            self.note_fault()
        if outer is not None:
            outer.append(
                Span(registry("extensions").name(number), start - self.base, last - self.base, value, None, self.spans or [])
            )
            self.spans = outer
        return value

    def chosen(self, spec: FieldSpec, end: cython.Py_ssize_t, owner: Any) -> Any:
        """Read a field whose form depends on an earlier field. Without a case and a default, read bytes to the end."""
        case = spec.cases.get(getattr(owner, spec.on), spec.element)
        if case is not None:
            return self.value(case, end, owner)
        start: cython.Py_ssize_t = self.pos
        self.pos = end
        return slice_bytes(self.data, start, end)


def read(
    table: Any, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, base: cython.Py_ssize_t, short: Any = Malformed
) -> tuple[Any, list[ParseError]]:
    """Read one message of `table` from `data[start:end]`. Return the message and a list of everything that is wrong with it.

    base: offsets in problems count from it. short: the parse error for bytes that end at `end`: Malformed if the message is
    complete, Incomplete or Truncated if its end is missing. No error is raised for the content of the bytes.
    """
    reader: Reader = reader_of(data, start, end, base, short)
    return run(reader, table, end), reader.problems


def reader_of(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, base: cython.Py_ssize_t, short: Any) -> Reader:
    """Create a reader without spans.

    In compiled code, setting the fields here is faster than a call with five Python objects.
    """
    reader: Reader = Reader.__new__(Reader)
    reader.data = data
    reader.pos = start
    reader.limit = end
    reader.base = base
    reader.problems = []
    reader.fault = None
    reader.short = short
    reader.spans = None
    reader.depth = 0
    return reader


def spans(
    table: Any, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, base: cython.Py_ssize_t, short: Any = Malformed
) -> list[Span]:
    """Return the position of each field of a message, as a tree. Offsets count from `base`."""
    reader: Reader = reader_of(data, start, end, base, short)
    reader.spans = []
    run(reader, table, end)
    return reader.spans or []


def run(reader: Reader, table: Any, end: cython.Py_ssize_t) -> Any:
    """Read the outermost structure, and give every problem its full field name."""
    message = reader.structure(table, end)
    if reader.pos < end:
        message.trailing = reader.data[reader.pos : end]
        if reader.fault is None:
            reader.note(reader.pos, f"{end - reader.pos} bytes left over")
    reader.note_fault()
    for problem in reader.problems:
        problem.field = f"{table.__name__}.{problem.field}" if problem.field else table.__name__
    return message


def differs_each_time(number: cython.longlong) -> cython.bint:
    """Return whether an extension differs in every message: tickets, key shares, PSKs, cookies, QUIC parameters, ECH."""
    return number in (35, 40, 41, 44, 51, 57, 65037)


def extension_body(message: Any, number: cython.int) -> Any:
    """Return the body of a message's first extension of that type; None without one, or for a message without extensions."""
    extension: Extension
    for extension in getattr(message, "extensions", None) or ():
        if extension.type == number:
            return extension.body
    return None
