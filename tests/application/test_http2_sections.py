"""Field sections of one direction: joined from frames, and decoded with a header table that must not be guessed."""

import hpack
import pytest

from analyzer.application.exchange import CLIENT, SERVER
from analyzer.application.http2_frames import CONTINUATION, END_HEADERS, END_STREAM, HEADERS, PADDED, PUSH_PROMISE
from analyzer.application.http2_sections import (
    CONTINUATIONS_MAX,
    FIELD_BLOCK_MAX,
    KNOWN_MAX,
    SECTION_FRAMES,
    FieldSections,
    Section,
)

FIELDS = [(":method", "GET"), ("x-one", "first"), ("x-two", "second")]


class Owner:
    """Keeps the codes of findings."""

    def __init__(self) -> None:
        self.codes: list[str] = []

    def note(self, side: int, code: str, detail: str) -> None:
        self.codes.append(code)


def sections(side: int = SERVER) -> tuple[FieldSections, Owner]:
    owner = Owner()
    return FieldSections(owner, side), owner


def whole(reader: FieldSections, kind: int, flags: int, payload: bytes) -> Section:
    section = reader.read(kind, flags, 1, payload)
    assert section is not None
    return section


def test_a_section_of_one_frame() -> None:
    reader, owner = sections()
    encoder = hpack.Encoder()
    section = whole(reader, HEADERS, END_HEADERS | END_STREAM, encoder.encode(FIELDS))
    assert (section.stream, section.promised, section.end_stream, section.n_frames) == (1, 0, True, 1)
    assert reader.decode(bytes(section.data)) == FIELDS
    padded = encoder.encode(FIELDS)
    promise = whole(reader, PUSH_PROMISE, END_HEADERS | PADDED, b"\2\x80\0\0\6" + padded + b"\0\0")
    assert (promise.promised, bytes(promise.data)) == (6, padded)
    assert owner.codes == []


def test_any_split_gives_the_same_section() -> None:
    data = hpack.Encoder().encode(FIELDS)
    for n in range(len(data) + 1):
        reader, owner = sections()
        assert reader.read(HEADERS, 0, 1, data[:n]) is None
        section = whole(reader, CONTINUATION, END_HEADERS, data[n:])
        assert (bytes(section.data), section.n_frames) == (data, 2)
        assert owner.codes == []


def test_a_lost_table_is_never_used_again() -> None:
    reader, owner = sections()
    encoder = hpack.Encoder()
    assert reader.decode(encoder.encode(FIELDS)) == FIELDS
    known = encoder.encode(FIELDS)
    assert reader.decode(known) == FIELDS
    reader.lose("a hole")
    reader.lose("another")
    assert reader.decode(known) is None
    assert (reader.lossy, owner.codes) == (True, ["header_table_lost"])


def test_cached_fields_are_copies_and_end_with_the_table_they_were_decoded_with() -> None:
    reader, _ = sections()
    encoder = hpack.Encoder()
    reader.decode(encoder.encode(FIELDS))
    known = encoder.encode(FIELDS)
    for _ in range(3):
        found = reader.decode(known)
        assert found == FIELDS
        found.clear()
    reader.decode(encoder.encode([("x-three", "third")]))
    assert reader.decode(known) == [(":method", "GET"), ("x-two", "second"), ("x-three", "third")]


def test_few_sections_are_cached() -> None:
    reader, _ = sections()
    for first in range(0x82, 0x8F):
        for second in range(0x82, 0x82 + 40):
            reader.decode(bytes((first, second)))
    assert len(reader._cached) == KNOWN_MAX


@pytest.mark.parametrize(
    ("frames", "codes"),
    [
        ([(HEADERS, END_HEADERS | PADDED, 1, b"")], ["bad_headers"]),
        ([(HEADERS, END_HEADERS | PADDED, 1, b"\3ab")], ["bad_headers"]),
        ([(HEADERS, END_HEADERS, 0, b"\x82")], ["bad_headers"]),
        ([(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0")], ["bad_push_promise"]),
        ([(CONTINUATION, END_HEADERS, 1, b"\x82")], ["bad_continuation"]),
        ([(HEADERS, 0, 1, b"\x82"), (CONTINUATION, END_HEADERS, 3, b"\x84")], ["bad_continuation"]),
        ([(HEADERS, 0, 1, b"\x82"), (HEADERS, 0, 3, b"\x84")], ["broken_field_section"]),
        ([(HEADERS, 0, 1, b"x"), (CONTINUATION, 0, 1, bytes(FIELD_BLOCK_MAX))], ["long_field_section"]),
        ([(HEADERS, 0, 1, b""), *[(CONTINUATION, 0, 1, b"")] * CONTINUATIONS_MAX], ["long_field_section"]),
    ],
    ids=[
        "no length", "padding", "stream 0", "promise", "no beginning", "another stream", "another frame", "bytes", "frames",
    ],
)  # fmt: skip
def test_a_malformed_section_loses_the_table(frames: list[tuple[int, int, int, bytes]], codes: list[str]) -> None:
    reader, owner = sections()
    for frame in frames:
        assert reader.read(*frame) is None
    assert owner.codes == [*codes, "header_table_lost"]


def test_at_the_limits_nothing_is_lost() -> None:
    reader, owner = sections()
    reader.read(HEADERS, 0, 1, b"x")
    assert len(whole(reader, CONTINUATION, END_HEADERS, bytes(FIELD_BLOCK_MAX - 1)).data) == FIELD_BLOCK_MAX
    reader.read(HEADERS, 0, 1, b"")
    for _ in range(CONTINUATIONS_MAX - 2):
        assert reader.read(CONTINUATION, 0, 1, b"") is None
    assert whole(reader, CONTINUATION, END_HEADERS, b"").n_frames == CONTINUATIONS_MAX
    assert owner.codes == []


def test_only_a_server_promises() -> None:
    reader, owner = sections(CLIENT)
    assert reader.read(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2\x82") is None
    assert owner.codes == ["bad_push_promise", "header_table_lost"]


def test_another_frame_within_a_section_ends_it() -> None:
    reader, owner = sections()
    reader.check()
    assert owner.codes == []
    reader.read(HEADERS, 0, 1, b"\x82")
    reader.check()
    assert owner.codes == ["broken_field_section", "header_table_lost"]


def test_a_table_larger_than_announced_is_reported_once() -> None:
    encoder = hpack.Encoder()
    encoder.header_table_size = 8192
    reader, owner = sections()
    assert [reader.decode(encoder.encode(FIELDS)) for _ in range(2)] == [FIELDS, FIELDS]
    assert (owner.codes, reader.table_max) == (["large_header_table"], 8192)


def test_the_frames_that_carry_sections() -> None:
    assert sorted(SECTION_FRAMES) == [HEADERS, PUSH_PROMISE, CONTINUATION]
