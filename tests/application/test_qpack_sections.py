import random

import pylsqpack
import pytest

from analyzer.application.exchange import Fields
from analyzer.application.qpack_sections import FIELD_LIST_MAX, NOT_KNOWN, FieldSections

# RFC 9204 appendix B: instructions and sections in their order. The decoder announces a table of 220 bytes.
VECTORS: list[tuple[str, str | Fields]] = [
    ("section", "0000510b2f696e6465782e68746d6c"),
    ("fields", [(":path", "/index.html")]),
    ("encoder", "3fbd01c00f7777772e6578616d706c652e636f6dc10c2f73616d706c652f70617468"),
    ("section", "03811011"),
    ("fields", [(":authority", "www.example.com"), (":path", "/sample/path")]),
    ("encoder", "4a637573746f6d2d6b65790c637573746f6d2d76616c7565"),
    ("encoder", "02"),
    ("section", "050080c181"),
    ("fields", [(":authority", "www.example.com"), (":path", "/"), ("custom-key", "custom-value")]),
    ("encoder", "810d637573746f6d2d76616c756532"),
    ("section", "060080"),
    ("fields", [("custom-key", "custom-value2")]),
]


class Sections(FieldSections):
    """Field sections with the codes that they report."""

    def __init__(self) -> None:
        self.codes: list[str] = []
        super().__init__(lambda code, detail, frame: self.codes.append(code), 0)


def test_the_examples_of_the_rfc() -> None:
    sections = Sections()
    sections.allow(220, 1)
    section = b""
    for what, value in VECTORS:
        if what == "encoder":
            sections.feed_encoder(bytes.fromhex(str(value)), 1)
        elif what == "section":
            section = bytes.fromhex(str(value))
        else:
            assert sections.needs(section) == 0
            assert sections.decode(section, 1) == value
    assert (sections.n_inserts, sections.codes) == (5, [])


def test_a_section_waits_for_entries_and_for_settings() -> None:
    sections = Sections()
    section = bytes.fromhex(str(VECTORS[3][1]))
    assert sections.needs(section) == NOT_KNOWN
    assert sections.decode(section, 1) is None
    sections.allow(220, 1)
    assert sections.needs(section) == 2
    encoder = bytes.fromhex(str(VECTORS[2][1]))
    for n in range(len(encoder)):
        assert sections.needs(section) == 2
        sections.feed_encoder(encoder[n : n + 1], 1)
    assert sections.needs(section) == 0
    assert sections.decode(section, 1) == VECTORS[4][1]


def test_instructions_before_the_settings_count() -> None:
    sections = Sections()
    sections.feed_encoder(bytes.fromhex(str(VECTORS[2][1])), 1)
    sections.allow(220, 1)
    assert sections.decode(bytes.fromhex(str(VECTORS[3][1])), 1) == VECTORS[4][1]


def test_with_many_entries_the_settings_are_needed() -> None:
    """A table of 220 bytes has at most 6 entries; with more inserts the count could be one of several."""
    sections = Sections()
    sections.feed_encoder(bytes.fromhex(str(VECTORS[2][1])), 1)
    assert sections.assume_capacity(1)
    assert sections.decode(bytes.fromhex(str(VECTORS[3][1])), 1) == VECTORS[4][1]
    sections.feed_encoder(b"\x00" * 4, 2)
    assert sections.lost
    assert sections.codes == ["header_table_lost"]
    late = Sections()
    late.feed_encoder(bytes.fromhex(str(VECTORS[2][1])) + b"\x00" * 4, 1)
    assert not late.assume_capacity(1)


def test_after_a_loss_only_sections_without_entries_are_read() -> None:
    sections = Sections()
    sections.allow(220, 1)
    sections.feed_encoder(bytes.fromhex(str(VECTORS[2][1])), 1)
    sections.lose("bytes are missing", 2)
    sections.lose("bytes are missing", 2)
    sections.feed_encoder(bytes.fromhex(str(VECTORS[2][1])), 3)
    dynamic, static = bytes.fromhex(str(VECTORS[3][1])), bytes.fromhex(str(VECTORS[0][1]))
    assert sections.needs(dynamic) == 0
    assert sections.decode(dynamic, 4) is None
    assert sections.decode(static, 4) == VECTORS[1][1]
    assert sections.codes == ["header_table_lost"]


def test_the_insert_count_wraps() -> None:
    """A table of 128 bytes has at most 4 entries, so the count is sent modulo 8."""
    encoder = pylsqpack.Encoder()
    acknowledging = pylsqpack.Decoder(128, 100)
    sections = Sections()
    sections.allow(128, 1)
    start = encoder.apply_settings(128, 100)
    acknowledging.feed_encoder(start)
    sections.feed_encoder(start, 1)
    n_dynamic = 0
    for n in range(400):
        fields = [(b"a", b"v%d" % (n // 5)), (b"b", b"w%d" % (n // 3))]
        instructions, section = encoder.encode(4 * n, fields)
        acknowledging.feed_encoder(instructions)
        encoder.feed_decoder(acknowledging.feed_header(4 * n, section)[0])
        if instructions:
            assert section[0] == 0 or sections.needs(section) in (0, sections.n_inserts + 1, sections.n_inserts + 2)
        sections.feed_encoder(instructions, 1)
        n_dynamic += section[0] > 0
        assert sections.decode(section, 1) == [(name.decode(), value.decode()) for name, value in fields]
    assert sections.n_inserts > 16
    assert n_dynamic > 100
    assert sections.codes == []


@pytest.mark.parametrize(
    ("section", "code"),
    [
        ("", "malformed_field_section"),
        ("00", "malformed_field_section"),
        ("0000ff", "malformed_field_section"),
        ("000051ff", "malformed_field_section"),
        ("000080", "malformed_field_section"),
        ("ff0080", "malformed_field_section"),
        ("0000" + "ff" * 12, "malformed_field_section"),
    ],
)
def test_a_section_that_is_wrong_is_reported_and_the_next_is_read(section: str, code: str) -> None:
    sections = Sections()
    sections.allow(220, 1)
    sections.feed_encoder(bytes.fromhex(str(VECTORS[2][1])), 1)
    assert sections.needs(bytes.fromhex(section)) == 0
    assert sections.decode(bytes.fromhex(section), 1) is None
    assert sections.codes == [code]
    assert sections.decode(bytes.fromhex(str(VECTORS[3][1])), 1) == VECTORS[4][1]


def test_a_table_that_is_not_allowed_is_lost() -> None:
    sections = Sections()
    sections.allow(0, 1)
    sections.feed_encoder(bytes.fromhex("3fbd01"), 1)
    assert sections.codes == ["malformed_encoder_stream", "header_table_lost"]


def test_a_small_section_of_many_bytes_is_left_out() -> None:
    """An entry of 60 kB, and a section that refers to it in each of its bytes."""
    sections = Sections()
    sections.allow(1 << 40, 1)
    sections.feed_encoder(b"\x3f\xe1\xff\x03", 1)  # a table of 64 KiB
    length = 60_000 - 127
    sections.feed_encoder(
        b"\xc0\x7f" + bytes([length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80, length >> 14]) + bytes(60_000), 1
    )
    few = b"\2\0" + b"\x80" * 20
    fields = sections.decode(few, 1)
    assert fields is not None
    assert sum(len(value) for _, value in fields) == 20 * 60_000
    assert sections.decode(b"\2\0" + b"\x80" * (FIELD_LIST_MAX // 60_000 + 1), 1) is None
    assert sections.codes == ["long_field_section"]


def test_no_bytes_raise_an_exception() -> None:
    rest = random.Random(9204)
    known = [bytes.fromhex(value) for _, value in VECTORS if isinstance(value, str)]
    for _ in range(300):
        sections = Sections()
        if rest.random() < 0.9:
            sections.allow(rest.choice((0, 220, 4096, 1 << 62)), 1)
        for _ in range(10):
            data = rest.choice(known) if rest.random() < 0.6 else rest.randbytes(rest.randrange(40))
            data = bytes(byte ^ (rest.random() < 0.05) << rest.randrange(8) for byte in data)
            sections.feed_encoder(data, 1) if rest.random() < 0.5 else sections.decode(data, 1)
            assert sections.needs(data) >= 0
