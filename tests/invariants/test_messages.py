"""What holds for every table of a message: nobody has to write a test for a new one, it is tested when it exists.

Well-formed samples are made from the rows, at random from fixed seeds. A sample goes whole, cut at every byte, with bytes
behind it, and with bytes changed, through reading, writing, spans and JSON.
"""

import random
from collections.abc import Iterator

import pytest
from every_table import nest, same_bytes_or_problems, tables

from analyzer.codec import field_kinds, runner
from analyzer.codec.errors import Incomplete, Malformed
from analyzer.codec.field_spec import FieldSpec, Span
from analyzer.codec.field_tables import Extension, Message
from analyzer.codec.registry import registry

SEEDS = range(4)
CHANGES = 150
"""Bytes of a sample that are changed, one at a time."""


TABLES = tables()
every_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)


class Maker:
    """Makes messages that are well-formed by their rows."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def message(self, table: type[Message]) -> Message:
        fields: dict[str, object] = {}
        keys = {spec.on: spec for spec in table.specs if spec.kind == field_kinds.SELECT}
        for spec in table.specs:
            key = keys.get(spec.name)
            if spec.optional and self.random.random() < 0.25:
                fields[spec.name] = None
            elif key is not None and (key.element is None or self.random.random() < 0.8):
                fields[spec.name] = self.random.choice(list(key.cases))
            else:
                fields[spec.name] = self.value(spec, fields)
            counter = spec.on if spec.kind != field_kinds.SELECT else self.counter(spec, fields)
            if counter:
                fields[counter] = self.measure(spec, fields)
        return table(**fields)

    def counter(self, spec: FieldSpec, fields: dict[str, object]) -> str:
        """The field that holds the length of a select's case."""
        case = spec.cases.get(fields[spec.on], spec.element)
        return case.on if case is not None else ""

    def measure(self, spec: FieldSpec, fields: dict[str, object]) -> int:
        """How many bytes a field takes on the wire: those of a table with nothing but this field."""
        case = spec if spec.kind != field_kinds.SELECT else spec.cases.get(fields[spec.on], spec.element)
        alone = FieldSpec(case.kind, case.width, 0, 0, case.element, case.table, case.cases)
        alone.name = "field"
        table = type(Message)("Alone", (Message,), {"field": alone})
        return len(table(field=fields[spec.name]).write())

    def value(self, spec: FieldSpec, fields: dict[str, object]) -> object:
        kind = spec.kind
        if kind == field_kinds.UINT:
            return self.number(spec, 8 * spec.width)
        if kind == field_kinds.VARINT:
            return self.number(spec, self.random.choice((6, 14, 30, 62)))
        if kind == field_kinds.FIXED:
            return self.random.randbytes(spec.width)
        if kind == field_kinds.OPAQUE:
            n = self.random.randint(spec.low, min(spec.high or spec.low + 24, spec.low + 24))
            return b"name.example".ljust(n, b"x")[:n] if spec.text else self.random.randbytes(n)
        if kind == field_kinds.STRUCT:
            return self.message(spec.table)
        if kind == field_kinds.SIZED:
            return self.value(spec.element, {})
        if kind == field_kinds.SELECT:
            case = spec.cases.get(fields[spec.on], spec.element)
            return b"" if case is None else self.value(case, fields)
        if kind == field_kinds.EXTENSIONS:
            return self.extensions(spec.cases)
        items: list[object] = []
        least = max(spec.low, self.random.randint(0, 12))
        while sum(self.length(spec.element, item) for item in items) < least:
            items.append(self.value(spec.element, {}))
        return items

    def length(self, spec: FieldSpec, value: object) -> int:
        return spec.width if spec.kind == field_kinds.UINT else self.measure(spec, {spec.name: value})

    def number(self, spec: FieldSpec, bits: int) -> int:
        known = [n for n in registry(spec.registry) if n < 1 << bits] if spec.registry else []
        return self.random.choice(known) if known and self.random.random() < 0.5 else self.random.getrandbits(bits)

    def extensions(self, cases: dict[int, type[Message]]) -> list[Extension]:
        listed = [Extension(n, self.message(cases[n])) for n in self.random.sample(sorted(cases), min(3, len(cases)))]
        return [*listed, Extension(0x3A3A, self.random.randbytes(self.random.randint(0, 3)))]


def samples(table: type[Message]) -> Iterator[tuple[Message, bytes]]:
    for seed in SEEDS:
        message = Maker(seed).message(table)
        yield message, message.write()


def test_all_tables_are_found():
    assert len(TABLES) > 150
    assert "ClientHello" in {table.__name__ for table in TABLES}


@every_table
def test_a_docstring_names_the_specification(table):
    assert table.__doc__ is not None
    assert any(word in table.__doc__ for word in ("RFC ", "draft-", "Chromium", "BoringSSL", "OpenSSL"))


@every_table
def test_every_registry_exists(table):
    def named(spec: FieldSpec) -> Iterator[str]:
        yield spec.registry
        if spec.element is not None:
            yield from named(spec.element)
        if spec.kind == field_kinds.SELECT:
            for case in spec.cases.values():
                yield from named(case)

    for name in {name for spec in table.specs for name in named(spec)} - {""}:
        assert len(registry(name)) > 0


@every_table
def test_round_trip(table):
    for message, data in samples(table):
        again, problems = table.read(data)
        assert [str(problem) for problem in problems] == []
        assert again == message
        assert again.write() == data
        assert again.json() == message.json()


@every_table
def test_offsets_count_from_the_base(table):
    for message, data in samples(table):
        again, problems = runner.read(table, b"\xff\xff" + data + b"\xff", 2, 2 + len(data), 0)
        assert (again, problems) == (message, [])
        shifted = runner.spans(table, b"\xff\xff" + data + b"\xff", 2, 2 + len(data), 2)
        assert [(s.name, s.start, s.end) for s in shifted] == [
            (s.name, s.start, s.end) for s in runner.spans(table, data, 0, len(data), 0)
        ]


@every_table
def test_spans_cover_the_message(table):
    for message, data in samples(table):
        spans = runner.spans(table, data, 0, len(data), 0)
        assert [span.name for span in spans] == [spec.name for spec in table.specs]
        nest(spans, 0, len(data))
        end = 0
        for span in spans:
            assert span.start == end
            end = span.end
            assert span.value == getattr(message, span.name)
            if span.spec.kind == field_kinds.UINT and span.value is not None:
                assert int.from_bytes(data[span.start : span.end], "big") == span.value
        assert end == len(data)


def where_optional_fields_begin(spans: list[Span]) -> set[int]:
    return {span.start for span in spans if span.spec.optional}


def within_the_last_field(spans: list[Span]) -> set[int]:
    return set(range(spans[-1].start, spans[-1].end))


def between_its_elements(spans: list[Span]) -> set[int]:
    return {child.start for child in spans[-1].children}


def within_an_unknown_version(spans: list[Span]) -> set[int]:
    empty = spans[2].start == spans[2].end
    return set(range(spans[1].start, spans[1].end)) if empty else set()


WHOLE_WHEN_CUT = {
    "SignedCertificateTimestamp": (within_an_unknown_version, "of a version that is not known, all is bytes without a length"),
    **dict.fromkeys(
        (
            "CertificateStatusRequest", "ClientHello", "DHClientKeyExchange", "DTLSClientHello", "DraftServerHello",
            "ECDHClientKeyExchange", "GoogleVersion", "PinningTicketClientHello", "ServerHello",
        ),
        (where_optional_fields_begin, "the fields from there on may be missing, and nothing before them says whether they are"),
    ),
    **dict.fromkeys(
        (
            "ApplicationSettings", "Finished", "Heartbeat", "MessageHash", "OpaqueKeyExchange", "Padding", "PasswordSalt",
            "SSL2ClientFinished", "SSL2RequestCertificate", "SSL2ServerFinished", "SSL2ServerVerify",
            "SSL3RSAClientKeyExchange", "SequenceNumberEncryptionAlgorithms", "ServerEncryptedSNI", "SessionTicket",
            "TransItem",
        ),
        (within_the_last_field, "the last field is bytes without a length: as many as what encloses the message has"),
    ),
    **dict.fromkeys(
        ("NextProtocolNegotiation", "TransportParameters", "VersionInformation"),
        (between_its_elements, "the last field is elements without a length: as many as what encloses the message has"),
    ),
}  # fmt: skip
"""The tables of which a prefix may be a message as well: which prefixes, given where the fields of the whole lie, and why."""


@every_table
def test_every_truncation(table):
    whole_when_cut, _ = WHOLE_WHEN_CUT.get(table.__name__, (lambda _: set(), ""))
    n_whole = 0
    for _, data in samples(table):
        whole = whole_when_cut(runner.spans(table, data, 0, len(data), 0))
        for end in range(len(data)):
            same_bytes_or_problems(table, data[:end])
            _, problems = table.read(data[:end], short=Incomplete)
            assert any(isinstance(problem, Incomplete) for problem in problems) == (end not in whole), end
            assert bool(problems) == (end not in whole), end
            n_whole += end in whole
    assert (n_whole > 0) == (table.__name__ in WHOLE_WHEN_CUT)


def test_what_is_whole_when_cut_is_a_table():
    assert WHOLE_WHEN_CUT.keys() <= {table.__name__ for table in TABLES}


@every_table
def test_trailing_bytes_are_kept_and_reported(table):
    for message, data in samples(table):
        longer = data + b"\xee\xee\xee"
        same_bytes_or_problems(table, longer)
        last = table.specs[-1] if table.specs else None
        if last is None or (last.kind in (field_kinds.UINT, field_kinds.FIXED) and not last.optional):
            again, problems = table.read(longer)
            assert again.trailing == b"\xee\xee\xee"
            assert [problem.offset for problem in problems] == [len(data)]
            assert isinstance(problems[0], Malformed)
            assert again.json()["trailing"] == "eeeeee"
            assert again.write() == longer
            again.trailing = b""
            assert again == message


@every_table
def test_changed_bytes(table):
    for seed, (_, data) in enumerate(samples(table)):
        chance = random.Random(seed)
        for place in sorted(chance.sample(range(len(data)), min(CHANGES, len(data)))):
            changed = bytearray(data)
            changed[place] ^= chance.choice((0x01, 0x80, 0xFF, chance.randint(1, 255)))
            same_bytes_or_problems(table, bytes(changed))


@every_table
def test_noise(table):
    chance = random.Random(table.__name__)
    for length in (0, 1, 2, 3, 5, 8, 40, 200):
        same_bytes_or_problems(table, chance.randbytes(length))
        same_bytes_or_problems(table, bytes(length))
        same_bytes_or_problems(table, b"\xff" * length)
