"""Pieces of a stream in any order give the same bytes, and what waits is limited."""

import random

import pytest

from analyzer.tls.quic.stream_reassembly import MAX_PIECES, MAX_WAITING, Reassembly

WHOLE = random.Random(5).randbytes(5000)


@pytest.mark.parametrize("seed", range(8))
def test_any_order_repetition_and_overlap(seed: int) -> None:
    source = random.Random(seed)
    pieces = [(at, WHOLE[at : at + 70]) for at in range(0, len(WHOLE), 50)]
    pieces += [(at, WHOLE[at : at + source.randrange(400)]) for at in (source.randrange(5000) for _ in range(60))]
    source.shuffle(pieces)
    stream = Reassembly()
    assert b"".join(stream.feed(at, piece) for at, piece in pieces) == WHOLE
    assert (stream.next, stream.waiting) == (len(WHOLE), 0)


def test_a_hole_is_given_up() -> None:
    stream = Reassembly()
    assert stream.feed(0, b"ab") == b"ab"
    assert stream.feed(5, b"fg") == b""
    assert stream.feed(9, b"j") == b""
    assert stream.feed(6, b"gh") == b""
    assert stream.skip() == (3, b"fgh")
    assert stream.skip() == (1, b"j")
    assert stream.skip() == (0, b"")
    assert stream.waiting == 0


def test_the_first_bytes_count() -> None:
    stream = Reassembly()
    stream.feed(1, b"XY")
    assert stream.feed(0, b"abcd") == b"abcd"
    assert stream.waiting == 0


def test_limits() -> None:
    stream = Reassembly()
    stream.feed(10, bytes(MAX_WAITING + 1))
    assert stream.overflows
    stream.reset()
    for number in range(MAX_PIECES + 1):
        assert not stream.overflows
        stream.feed(10 + 2 * number, b"x")
    assert stream.overflows
