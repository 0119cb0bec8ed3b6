"""Field tables: what each kind of field spec reads, writes and shows, and its parse errors when the bytes do not fit."""

import pytest

from analyzer.codec import field_kinds, runner
from analyzer.codec.errors import Incomplete, Malformed, Truncated
from analyzer.codec.field_tables import (
    Message,
    described,
    extensions,
    fixed,
    opaque,
    select,
    sized,
    struct,
    u8,
    u16,
    u24,
    u32,
    u64,
    varint,
    vector,
)


class Numbers(Message):
    one: int = u8()
    two: int = u16("versions")
    three: int = u24()
    four: int = u32()
    eight: int = u64()


class Pair(Message):
    left: int = u8()
    right: bytes = opaque(1)


class Listed(Message):
    numbers: list[int] = vector(2, u16(), low=2, high=6)
    pairs: list[Pair] = vector(1, struct(Pair), optional=True)


class Chosen(Message):
    kind: int = u8()
    body: object = select("kind", {1: u16(), 2: struct(Pair), 3: vector(1, u8()), 4: sized(1, Pair)}, opaque(1))


class Open(Message):
    kind: int = u8()
    body: object = select("kind", {1: u16()})


class Documented(Message):
    version: int = described(u16("versions"), "the version that the client prefers", filter="tls.handshake.version")
    rest: bytes = opaque(0)


class Counted(Message):
    """Lengths first, as in SSL 2.0."""

    first_length: int = u8()
    second_length: int = u16()
    first: bytes = opaque(0, of="first_length")
    second: list[int] = vector(0, u24(), of="second_length")


class Parameter(Message):
    id: int = varint("quic_transport_parameters")
    length: int = varint()
    value: object = select("id", {1: sized(0, varint(), of="length")}, opaque(0, of="length"))


class Body(Message):
    value: int = u16()


class Hello(Message):
    version: int = u16("versions")
    extensions: list[object] = extensions({0: Body, 0x2B: Listed}, optional=True)


def problems(table, text, **more):
    return [str(problem) for problem in table.read(bytes.fromhex(text), **more)[1]]


def test_numbers_are_big_endian_and_may_fill_their_width():
    message, found = Numbers.read(bytes.fromhex("ff 0304 ffffff ffffffff ffffffffffffffff"))
    assert found == []
    assert (message.one, message.two, message.three, message.four, message.eight) == (
        0xFF, 0x0304, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF,
    )  # fmt: skip
    assert message.json()["two"] == "TLS 1.3"
    assert message.json()["eight"] == 0xFFFFFFFFFFFFFFFF


def test_a_message_is_made_from_its_fields():
    assert Pair(left=1, right=b"ab").write() == b"\x01\x02ab"
    assert Pair(left=1, right=b"ab") != Pair(left=1, right=b"ac")
    assert repr(Pair(left=1, right=b"")) == "Pair(left=1, right=b'')"
    with pytest.raises(TypeError, match="no field middle"):
        Pair(left=1, middle=2)


def test_what_does_not_fit_its_length_is_not_written():
    with pytest.raises(ValueError, match="256 bytes do not fit"):
        Pair(left=1, right=bytes(256)).write()
    with pytest.raises(OverflowError):
        Pair(left=256, right=b"").write()

    class Four(Message):
        four: bytes = fixed(4)

    with pytest.raises(ValueError, match="3 bytes where 4 belong"):
        Four(four=b"abc").write()


def test_a_field_may_carry_documentation_and_a_filter_name():
    version, rest = Documented.specs
    assert (version.name, version.doc) == ("version", "the version that the client prefers")
    assert (version.filter, rest.doc, rest.filter) == ("tls.handshake.version", "", "")
    message, problems = Documented.read(b"\3\3ab")
    assert (message.json(), problems) == ({"version": "TLS 1.2", "rest": "6162"}, [])
    assert [span.spec for span in runner.spans(Documented, b"\3\3ab", 0, 4, 0)] == [version, rest]


def test_vectors():
    message, found = Listed.read(bytes.fromhex("0004 0001 0002 05 01 01aa 02 00"))
    assert found == []
    assert message.numbers == [1, 2]
    assert message.pairs == [Pair(left=1, right=b"\xaa"), Pair(left=2, right=b"")]


def test_a_missing_optional_field_is_none():
    message, found = Listed.read(bytes.fromhex("0002 0001"))
    assert (message.pairs, found) == (None, [])
    assert message.json()["pairs"] is None
    assert message.write() == bytes.fromhex("0002 0001")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0003 000100", "Listed.numbers at 0x2: 3 bytes is no whole number of uint16"),
        ("0000", "Listed.numbers at 0x0: length 0 is not in 2..6"),
        ("0008 0001000200030004", "Listed.numbers at 0x0: length 8 is not in 2..6"),
        ("0004 0001", "Listed.numbers at 0x2: 4 bytes wanted, 2 left"),
        ("00", "Listed.numbers at 0x0: 2 bytes wanted, 1 left"),
        ("0002 0001 03 01 0500", "Listed.pairs[0].right at 0x7: 5 bytes wanted, 1 left"),
        ("0002 0001 03 010002", "Listed.pairs[1].right at 0x8: 1 bytes wanted, 0 left"),
        ("0002 0001 00 ff", "Listed at 0x5: 1 bytes left over"),
    ],
)
def test_problems_name_field_offset_and_cause(text, problem):
    assert problems(Listed, text) == [problem]


def test_reading_continues_after_a_vector_with_a_wrong_length():
    message, found = Listed.read(bytes.fromhex("0003 000100 03 0101aa"))
    assert [str(problem) for problem in found] == ["Listed.numbers at 0x2: 3 bytes is no whole number of uint16"]
    assert message.pairs == [Pair(left=1, right=b"\xaa")]


def test_fields_not_read_because_of_a_fault_are_none():
    message, found = Numbers.read(bytes.fromhex("01 0303 0000"))
    assert (message.one, message.two, message.three, message.four, message.eight) == (1, 0x0303, None, None, None)
    assert [str(problem) for problem in found] == ["Numbers.three at 0x3: 3 bytes wanted, 2 left"]
    assert message.json()["four"] is None


@pytest.mark.parametrize("kind", [Malformed, Incomplete, Truncated])
def test_the_caller_chooses_the_error_for_an_early_end(kind):
    _, found = Numbers.read(b"\x01\x02", short=kind)
    assert [type(problem) for problem in found] == [kind]


def test_an_end_inside_a_declared_length_is_always_malformed():
    _, found = Listed.read(bytes.fromhex("0002 0001 03 01 0500"), short=Incomplete)
    assert [type(problem) for problem in found] == [Incomplete]  # the list ends where the bytes do
    _, found = Listed.read(bytes.fromhex("0002 0001 02 0105 0000"), short=Incomplete)
    assert Malformed in [type(problem) for problem in found]


def test_offsets_count_from_the_base():
    _, found = runner.read(Pair, b"\xff\xff\xff\x01\x05", 3, 5, -4)
    assert found[0].offset == 9


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("01 0203", 0x0203),
        ("02 07 01ee", Pair(left=7, right=b"\xee")),
        ("03 02 0908", [9, 8]),
        ("04 03 07 01ee", Pair(left=7, right=b"\xee")),
        ("09 02 abcd", b"\xab\xcd"),
    ],
)
def test_select(text, body):
    data = bytes.fromhex(text)
    message, found = Chosen.read(data)
    assert (message.body, found) == (body, [])
    assert message.write() == data


def test_a_number_without_a_case_has_bytes_to_the_end():
    message, found = Open.read(b"\x02abc")
    assert (message.body, found) == (b"abc", [])
    assert message.json() == {"kind": 2, "body": "616263"}


def test_bytes_behind_a_sized_field_are_kept_with_it():
    data = bytes.fromhex("04 05 07 01ee aabb")
    message, found = Chosen.read(data)
    assert [str(problem) for problem in found] == ["Chosen.body at 0x5: 2 bytes left over"]
    assert message.body.trailing == b"\xaa\xbb"
    assert message.write() == data


def test_lengths_in_earlier_fields():
    data = bytes.fromhex("02 0006 aabb 000001 000002")
    message, found = Counted.read(data)
    assert (message.first, message.second, found) == (b"\xaa\xbb", [1, 2], [])
    assert message.write() == data
    assert problems(Counted, "04 0000 aabb") == ["Counted.first at 0x3: 4 bytes wanted, 2 left"]
    assert problems(Counted, "00 0004 00000100") == ["Counted.second at 0x3: 4 bytes is no whole number of uint24"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("25", 37),
        ("7bbd", 15293),
        ("9d7f3e7d", 494878333),
        ("c2197c5eff14e88c", 151288809941952652),
        ("ffffffffffffffff", (1 << 62) - 1),
        ("4025", 37),
        ("80000025", 37),
    ],
)
def test_variable_length_numbers(text, number):
    """The examples of RFC 9000 appendix A.1, and the same number in more bytes than it needs."""

    class One(Message):
        number: int = varint()

    message, found = One.read(bytes.fromhex(text))
    assert (message.number, found) == (number, [])
    assert message.write().hex() == text
    assert message.json() == {"number": number}


def test_a_variable_length_number_has_62_bits():
    class One(Message):
        number: int = varint()

    with pytest.raises(ValueError, match="does not fit"):
        One(number=1 << 62).write()
    assert problems(One, "c219") == ["One.number at 0x0: 8 bytes wanted, 2 left"]
    assert problems(One, "") == ["One.number at 0x0: 1 bytes wanted, 0 left"]


def test_a_parameter_of_variable_length():
    data = bytes.fromhex("4001 4002 7bbd")
    message, found = Parameter.read(data)
    assert (message.id, message.length, message.value, found) == (1, 2, 15293, [])
    assert message.write() == data
    assert message.json() == {"id": "max_idle_timeout", "length": 2, "value": 15293}


def test_extensions():
    data = bytes.fromhex("0304 000f 0000 0002 abcd 1a1a 0001 ff 7777 0000")
    message, found = Hello.read(data)
    assert found == []
    assert [(e.type, e.body) for e in message.extensions] == [(0, Body(value=0xABCD)), (0x1A1A, b"\xff"), (0x7777, b"")]
    assert message.extension(0) == Body(value=0xABCD)
    assert message.extension(5) is None
    assert message.write() == data
    assert message.json()["extensions"] == [
        {"type": "server_name", "body": {"value": 0xABCD}},
        {"type": "GREASE 0x1a1a", "body": "ff"},
        {"type": "0x7777", "body": ""},
    ]


def test_a_body_that_does_not_fit_its_table_stays_bytes_and_the_next_is_read():
    data = bytes.fromhex("0304 000b 0000 0001 ab 0000 0002 abcd")
    message, found = Hello.read(data)
    assert [str(problem) for problem in found] == ["Hello.extensions.server_name.value at 0x8: 2 bytes wanted, 1 left"]
    assert [e.body for e in message.extensions] == [b"\xab", Body(value=0xABCD)]
    assert message.write() == data


def test_bytes_behind_a_body_are_kept_with_it():
    data = bytes.fromhex("0304 0007 0000 0003 abcdef")
    message, found = Hello.read(data)
    assert [str(problem) for problem in found] == ["Hello.extensions.server_name at 0xa: 1 bytes left over"]
    assert message.extensions[0].body.trailing == b"\xef"
    assert message.write() == data


def test_spans_give_the_position_of_each_field():
    data = bytes.fromhex("0304 000f 0000 0002 abcd 002b 0005 0002 0001 00")
    found = runner.spans(Hello, b"????" + data, 4, 4 + len(data), 4)

    def tree(spans):
        return [(span.name, span.start, span.end, tree(span.children)) for span in spans]

    assert tree(found) == [
        ("version", 0, 2, []),
        (
            "extensions",
            2,
            19,
            [
                ("server_name", 4, 10, [("value", 8, 10, [])]),
                ("supported_versions", 10, 19, [("numbers", 14, 18, [("[0]", 16, 18, [])]), ("pairs", 18, 19, [])]),
            ],
        ),
    ]


def test_structures_do_not_nest_without_end():
    class Deep(Message):
        inner: object = opaque(0)

    Deep.specs[0].kind = field_kinds.STRUCT
    Deep.specs[0].table = Deep
    _, found = Deep.read(b"")
    assert [problem.why for problem in found] == ["structures nested deeper than 16"]


def test_elements_of_no_bytes_do_not_repeat_without_end():
    class Nothing(Message):
        pass

    class Nothings(Message):
        elements: list[Nothing] = vector(1, struct(Nothing))

    assert problems(Nothings, "02 0000") == ["Nothings.elements[0] at 0x1: an element of no bytes"]


def test_text_is_shown_as_text_and_never_fails():
    class Name(Message):
        name: bytes = opaque(1, text=True)

    assert Name(name="zürich".encode()).json() == {"name": "zürich"}
    assert Name(name=b"a\xffb").json() == {"name": "a\\xffb"}
