"""Handshake messages from the bodies of records, without any session.

A playbook lists the input of a reader, which is bodies with their positions in the stream, and the messages that it finds.
"""

import random
from typing import NamedTuple

import pytest

from analyzer.tls.handshake.message_reader import MessageReader
from analyzer.tls.limits import MAX_HANDSHAKE, MAX_PIECES

HEADER = 5
"""Bytes between two bodies of a stream, whose records have so much in front."""


class Found(NamedTuple):
    """A message: its bytes, the declared length, and the positions of its bytes."""

    raw: bytes
    length: int
    places: tuple[tuple[int, int], ...]


def message(number: int, content: bytes) -> bytes:
    return bytes([number]) + len(content).to_bytes(3, "big") + content


def found(reader: MessageReader) -> Found:
    return Found(reader.raw, reader.length, reader.places())


def feed(reader: MessageReader, body: bytes, offset: int = 0, whole: bool = True) -> list[Found]:
    """The messages that are complete after this body."""
    reader.feed(body, whole, offset)
    messages = []
    while reader.advance():
        messages.append(found(reader))
    return messages


def bodies(data: bytes, sizes: list[int]) -> list[tuple[int, bytes]]:
    """The data divided into bodies of these sizes, like records of a stream, with their positions.

    The last body takes the rest.
    """
    cut, offset, position = [], HEADER, 0
    while position < len(data):
        size = sizes[min(len(cut), len(sizes) - 1)]
        body = data[position : position + size]
        cut.append((offset, body))
        position += len(body)
        offset += len(body) + HEADER
    return cut


ONE, TWO, EMPTY, LONG = message(1, b"first"), message(2, b"second one"), message(14, b""), message(11, b"c" * 300)
SAID = [ONE, EMPTY, TWO, LONG, EMPTY]
DATA = b"".join(SAID)


def test_a_message_of_one_record():
    assert feed(MessageReader(True), ONE, 5) == [Found(ONE, 9, ((5, 9),))]


def test_several_messages_of_one_record_each_have_their_place():
    assert feed(MessageReader(True), ONE + EMPTY + TWO, 100) == [
        Found(ONE, 9, ((100, 9),)),
        Found(EMPTY, 4, ((109, 4),)),
        Found(TWO, 14, ((113, 14),)),
    ]


def test_a_message_over_two_records_has_two_pieces():
    reader = MessageReader(True)
    assert feed(reader, TWO[:6], 5) == []
    assert feed(reader, TWO[6:] + ONE, 16) == [Found(TWO, 14, ((5, 6), (16, 8))), Found(ONE, 9, ((24, 9),))]


def test_the_end_of_one_record_and_the_beginning_of_the_next():
    reader = MessageReader(True)
    assert feed(reader, ONE + TWO[:3], 5) == [Found(ONE, 9, ((5, 9),))]
    assert feed(reader, TWO[3:5], 22) == []
    assert feed(reader, b"", 29) == []
    assert feed(reader, TWO[5:], 34) == [Found(TWO, 14, ((14, 3), (22, 2), (34, 9)))]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 13, 100, 1000])
def test_whatever_the_size_of_records_the_messages_are_the_same(size: int):
    reader = MessageReader(True)
    stream = b""
    messages = []
    for offset, body in bodies(DATA, [size]):
        stream = stream.ljust(offset, b"#") + body
        messages += feed(reader, body, offset)
    assert [one.raw for one in messages] == SAID
    for one in messages:
        assert one.length == len(one.raw)
        assert b"".join(stream[first : first + n_bytes] for first, n_bytes in one.places) == one.raw
    assert not reader.cut_short()


def test_any_sizes_add_up():
    for seed in range(300):
        chance = random.Random(seed)
        said = [message(chance.randrange(256), chance.randbytes(chance.choice((0, 3, 40, 700)))) for _ in range(8)]
        sizes = [chance.choice((1, 2, 5, 30, 900)) for _ in range(4000)]
        reader = MessageReader(True)
        stream = b""
        messages = []
        for offset, body in bodies(b"".join(said), sizes):
            stream = stream.ljust(offset, b"#") + body
            messages += feed(reader, body, offset)
            assert sum(n_bytes for _, n_bytes in reader.pieces) <= len(reader.buffer) + len(body)
        assert [one.raw for one in messages] == said
        for one in messages:
            assert b"".join(stream[first : first + n_bytes] for first, n_bytes in one.places) == one.raw


def test_what_was_encrypted_has_no_place():
    reader = MessageReader(True)
    assert feed(reader, ONE, -1) == [Found(ONE, 9, ())]
    assert feed(reader, TWO[:3], -1) == []
    assert feed(reader, TWO[3:], -1) == [Found(TWO, 14, ())]


def test_a_message_of_which_a_part_was_encrypted_has_no_place_and_the_next_one_has():
    reader = MessageReader(True)
    assert feed(reader, TWO[:3], -1) == []
    assert feed(reader, TWO[3:] + ONE, 50) == [Found(TWO, 14, ()), Found(ONE, 9, ((61, 9),))]


def test_without_listeners_no_positions_are_kept():
    reader = MessageReader(False)
    assert feed(reader, ONE + TWO[:3], 5) == [Found(ONE, 9, ())]
    assert feed(reader, TWO[3:], 30) == [Found(TWO, 14, ())]
    assert reader.pieces == []


# What is missing.


def test_a_message_whose_end_is_missing_is_given_as_far_as_it_goes():
    reader = MessageReader(True)
    assert feed(reader, ONE + TWO[:8], 5, whole=False) == [Found(ONE, 9, ((5, 9),))]
    assert reader.cut_short()
    assert found(reader) == Found(TWO[:8], 14, ((14, 8),))
    assert not reader.cut_short()
    assert feed(reader, ONE, 50) == [Found(ONE, 9, ((50, 9),))]


def test_a_message_over_records_whose_end_is_missing():
    reader = MessageReader(True)
    assert feed(reader, LONG[:100], 5) == []
    assert feed(reader, LONG[100:200], 110, whole=False) == []
    assert reader.cut_short()
    assert found(reader) == Found(LONG[:200], 304, ((5, 100), (110, 100)))


def test_less_than_a_header_is_no_message():
    reader = MessageReader(True)
    assert feed(reader, ONE[:3], 5) == []
    assert not reader.cut_short()
    assert (bytes(reader.buffer), reader.pieces) == (b"", [])
    assert feed(reader, TWO, 30) == [Found(TWO, 14, ((30, 14),))]


def test_what_is_skipped_belongs_to_no_message():
    reader = MessageReader(True)
    reader.skip = 8
    assert feed(reader, TWO[-6:], 5) == []
    assert reader.skip == 2
    assert feed(reader, TWO[-2:] + ONE, 16) == [Found(ONE, 9, ((18, 9),))]
    assert reader.skip == 0
    assert not reader.cut_short()


def test_after_a_loss_nothing_is_skipped():
    reader = MessageReader(True)
    reader.skip = 1000
    reader.lose()
    assert feed(reader, ONE, 5) == [Found(ONE, 9, ((5, 9),))]


# Limits.


def big(n_bytes: int) -> bytes:
    return b"\x0b" + (n_bytes - 4).to_bytes(3, "big")


def test_the_largest_message_is_read():
    reader = MessageReader(True)
    head = big(MAX_HANDSHAKE)
    assert feed(reader, head, 5) == []
    assert reader.problem == ""
    (one,) = feed(reader, bytes(MAX_HANDSHAKE - 4), 14)
    assert (len(one.raw), one.places) == (MAX_HANDSHAKE, ((5, 4), (14, MAX_HANDSHAKE - 4)))


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_a_larger_one_is_skipped_and_its_length_named(size: int):
    reader = MessageReader(True)
    n_bytes = MAX_HANDSHAKE + 1
    problems = []
    for number in range(0, 4, size):
        assert feed(reader, big(n_bytes)[number : number + size], 5 + number) == []
        problems.append(reader.problem)
    assert problems[:-1] == [""] * (len(problems) - 1)
    assert problems[-1] == f"a handshake message of {n_bytes} bytes is more than the limit of {MAX_HANDSHAKE}"
    assert (reader.skip, bytes(reader.buffer), reader.pieces) == (n_bytes - 4, b"", [])
    assert feed(reader, bytes(n_bytes - 4 - 10), 100) == []
    assert reader.problem == ""
    assert feed(reader, bytes(10) + ONE, n_bytes + 200) == [Found(ONE, 9, ((n_bytes + 210, 9),))]


def test_messages_before_one_that_is_too_large_are_read():
    reader = MessageReader(True)
    assert feed(reader, ONE + big(MAX_HANDSHAKE + 1) + b"more", 5) == [Found(ONE, 9, ((5, 9),))]
    assert reader.skip == MAX_HANDSHAKE + 1 - 8


def test_a_message_that_comes_byte_by_byte_is_read_when_it_is_complete():
    """If the buffer were read again with every byte, the time would grow with the square of its length."""
    reader = MessageReader(True)
    looked = 0
    for number in range(len(LONG)):
        reader.feed(LONG[number : number + 1], True, number)
        looked += len(reader.data)
        while reader.advance():
            assert number == len(LONG) - 1
    assert looked == 1 + 4 + len(LONG)


def test_a_message_in_very_many_records_has_no_place_and_those_after_it_have():
    reader = MessageReader(True)
    long = b"\x0b" + (2 * MAX_PIECES).to_bytes(3, "big") + bytes(2 * MAX_PIECES)
    for place, byte in enumerate(long[:-1]):
        assert feed(reader, bytes([byte]), 6 * place + 5) == []
        assert len(reader.pieces) <= MAX_PIECES
    assert feed(reader, long[-1:] + ONE + TWO, 99_000) == [
        Found(long, len(long), ()),
        Found(ONE, len(ONE), ((99_001, len(ONE)),)),
        Found(TWO, len(TWO), ((99_001 + len(ONE), len(TWO)),)),
    ]
