"""The runner that reads by field tables: bytes to messages, and where each field lies. `writer` does the inverse.

A table is a class whose rows (`spec`) are its fields in wire order. The runner interprets rows one after the other between
two positions. It never raises for what the bytes say. A row that runs over its end sets `fault`, which unwinds to the
nearest region whose length the bytes declare (a vector, an extension); that region notes the fault among the `problems`, keeps
what was read, and reading goes on behind it. This module is compiled (see setup.cfg) and runs the same uncompiled.
"""

from typing import Any

import cython

from analyzer.codec.byte_slices import slice_bytes
from analyzer.codec.errors import Malformed, ParseError
from analyzer.codec.field_kinds import EXTENSIONS, FIXED, OPAQUE, SELECT, STRUCT, UINT, VARINT, VECTOR
from analyzer.codec.field_spec import Extension, FieldSpec, Span, WideVarint
from analyzer.codec.registry import registry

KNOWN_LIMIT, LONGEST_KNOWN = 4096, 256
"""Extensions known by their bytes when they come again, as a client's do in every hello: how many, and how long in bytes."""

DEPTH_LIMIT = 16
"""Structures in structures that a reader follows; the deepest table of TLS has 7."""


class Reader:
    """One run over `data[start:end]`; offsets in problems and spans count from `base`."""

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
        """Record a problem of the row being read and go on."""
        self.problems.append(Malformed("", at - self.base, why))

    def need(self, need: cython.longlong, end: cython.Py_ssize_t) -> None:
        """Set the fault: a row wants more bytes than there are before `end`."""
        kind = self.short if end == self.limit else Malformed
        self.fault = kind("", self.pos - self.base, f"{need} bytes wanted, {end - self.pos} left")

    def note_fault(self) -> None:
        """Note the fault and go on; called where a region with a declared length ends."""
        if self.fault is not None:
            self.problems.append(self.fault)
            self.fault = None

    def number(self, width: cython.Py_ssize_t) -> cython.longlong:
        """The big-endian number at the position, which must be there; moves on."""
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
        """The variable-length number at the position (RFC 9000 section 16); moves on."""
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
        """A message of `table`; what a fault keeps from being read is None."""
        message = blank(table) if cython.compiled else table.__new__(table)  # type: ignore[name-defined]  # noqa: F821 - `blank` is in the .pxd
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
            if cython.compiled:
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
        """The value of one row, with its span when they are asked for."""
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
        """The value of one row, which lies between the position and `end`."""
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
            if spec.width == 8:  # may pass the largest C number
                self.pos = start + 8
                return int.from_bytes(slice_bytes(self.data, start, self.pos), "big")
            return self.number(spec.width)
        if kind == FIXED:
            if spec.width > end - start:
                self.need(spec.width, end)
                self.pos = end
                return slice_bytes(self.data, start, end)
            self.pos = start + spec.width
            return slice_bytes(self.data, start, self.pos)
        if kind == STRUCT:
            return self.structure(spec.table, end)
        if kind == SELECT:
            return self.chosen(spec, end, owner)
        if kind == VARINT:
            return self.varint(end)
        # What is left has a length in front or in an earlier field, or reaches to the end.
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
            return slice_bytes(self.data, start, stop)
        return self.region(spec, stop)

    def region(self, spec: FieldSpec, stop: cython.Py_ssize_t) -> Any:
        """The contents of a vector, a sized field or extensions: a region of its own that ends at `stop`."""
        kind: cython.int = spec.kind
        over: ParseError | None = self.fault  # the region itself may run over its end; its contents are read all the same
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
        """A vector of numbers."""
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
            # A vector without a length goes as far as the bytes do, and may only be cut.
            kind = self.short if stop == self.limit and spec.width == 0 and not spec.on else Malformed
            self.problems.append(kind("", start - self.base, f"{stop - start} bytes is no whole number of uint{8 * width}"))
        if self.spans is not None:
            index: cython.Py_ssize_t
            for index in range(len(values)):
                at: cython.Py_ssize_t = start + index * width - self.base
                self.spans.append(Span(f"[{index}]", at, at + width, values[index], element, []))
        return values

    def elements(self, element: FieldSpec, stop: cython.Py_ssize_t) -> list[Any]:
        """A vector of structures or byte strings."""
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
        """Extensions up to `stop`: each body by its table, a body that does not fit its table as bytes."""
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
                if length <= LONGEST_KNOWN and self.spans is None and not is_renewed(number):
                    key = slice_bytes(self.data, start, last)
                    seen: Extension | None = known.get(key)
                    if seen is not None:
                        values.append(seen)
                        self.pos = last
                        continue
            before = len(self.problems)
            body = self.body(spec.cases.get(number), number, start, last)
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
        """An extension's body, with its span when they are asked for."""
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
                value = slice_bytes(self.data, first, last)  # evidence first: a body that lies is kept as it came
            self.note_fault()
        if outer is not None:
            outer.append(
                Span(registry("extensions").name(number), start - self.base, last - self.base, value, None, self.spans or [])
            )
            self.spans = outer
        return value

    def chosen(self, spec: FieldSpec, end: cython.Py_ssize_t, owner: Any) -> Any:
        """A field whose form an earlier field chooses; bytes to the end where no case fits and there is no other form."""
        case = spec.cases.get(getattr(owner, spec.on), spec.element)
        if case is not None:
            return self.value(case, end, owner)
        start: cython.Py_ssize_t = self.pos
        self.pos = end
        return slice_bytes(self.data, start, end)


def read(
    table: Any, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, base: cython.Py_ssize_t, short: Any = Malformed
) -> tuple[Any, list[ParseError]]:
    """Read one message of `table` from `data[start:end]`: the message, and everything that is wrong with it.

    Offsets in problems count from `base`. `short` is the trouble that an end at `end` means: Malformed when the message is
    whole, Incomplete or Cut when its end is missing. Never raises for what the bytes say.
    """
    reader: Reader = reader_of(data, start, end, base, short)
    return run(reader, table, end), reader.problems


def reader_of(data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t, base: cython.Py_ssize_t, short: Any) -> "Reader":
    """A reader that keeps no spans. Setting the fields here spares compiled code a call with five Python objects."""
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
    """Where each field of a message lies, as a tree; offsets count from `base`."""
    reader: Reader = reader_of(data, start, end, base, short)
    reader.spans = []
    run(reader, table, end)
    return reader.spans or []


def run(reader: Reader, table: Any, end: cython.Py_ssize_t) -> Any:
    """Read the outermost structure and give every problem its full name."""
    message = reader.structure(table, end)
    if reader.pos < end:
        message.trailing = reader.data[reader.pos : end]
        if reader.fault is None:
            reader.note(reader.pos, f"{end - reader.pos} bytes left over")
    reader.note_fault()
    for problem in reader.problems:
        problem.field = f"{table.__name__}.{problem.field}" if problem.field else table.__name__
    return message


def is_renewed(number: cython.longlong) -> cython.bint:
    """Whether an extension is new every time: tickets, key shares, PSKs, cookies, QUIC parameters, ECH."""
    return number in (35, 40, 41, 44, 51, 57, 65037)


def extension_body(message: Any, number: cython.int) -> Any:
    """The body of a message's first extension of that type; None without one, or for a message without extensions."""
    extension: Extension
    for extension in getattr(message, "extensions", None) or ():
        if extension.type == number:
            return extension.body
    return None
