"""Sequence numbers of one direction: what is missing although it was acknowledged, compared with a plain set of numbers."""

import random

import pytest

from analyzer.analysis import sender_stream as module
from analyzer.analysis.sender_series import MOST_FRAMES
from analyzer.analysis.sender_stream import MOST_HOLES, SenderStream

WORD = 1 << 32


def test_segments_in_order_leave_no_hole() -> None:
    stream = SenderStream()
    assert stream.feed(WORD - 20, 10, 1)
    assert stream.feed(WORD - 10, 20, 2), "it goes through zero"
    assert not stream.feed(0, 10, 3), "it came before"
    assert not stream.feed(9, 1, 4), "this is a keep-alive"
    assert stream.acknowledge(10, 5)
    assert not stream.acknowledge(10, 6)
    assert not stream.acknowledge(5, 7)
    stream.close()
    assert (stream.n_lost, stream.n_holes) == (0, 0)


def test_acknowledged_bytes_without_a_frame_are_lost() -> None:
    stream = SenderStream()
    stream.feed(100, 10, 1)
    stream.acknowledge(150, 2)
    stream.feed(170, 10, 3)
    stream.acknowledge(180, 4)
    stream.close()
    assert (stream.n_lost, stream.n_holes, stream.lost_frames) == (60, 2, [2, 3])


def test_late_and_unacknowledged_bytes_are_not() -> None:
    stream = SenderStream()
    stream.feed(100, 10, 1)
    stream.acknowledge(150, 2)
    stream.feed(120, 30, 3)
    stream.feed(110, 10, 4)
    stream.feed(500, 10, 5)
    stream.close()
    assert stream.n_lost == 0


def test_a_single_number_may_be_a_fin() -> None:
    stream = SenderStream()
    stream.feed(100, 10, 1)
    stream.acknowledge(111, 2)
    stream.close()
    assert stream.n_lost == 0


def test_numbers_far_ahead_are_of_another_connection() -> None:
    stream = SenderStream()
    assert not stream.acknowledge(5, 1)
    stream.feed(100, 10, 1)
    assert not stream.feed(100 + (1 << 30) + 20, 10, 2)
    assert not stream.acknowledge(100 + (1 << 30) + 20, 3)
    stream.close()
    assert stream.n_lost == 0


def test_holes_are_bounded() -> None:
    stream = SenderStream()
    for step in range(1000):
        stream.feed(step * 100, 50, step)
        assert len(stream.holes or ()) <= MOST_HOLES
    stream.acknowledge(99_950, 1000)
    stream.close()
    assert stream.n_holes <= 999
    assert len(stream.lost_frames or ()) <= MOST_FRAMES


@pytest.mark.parametrize("seed", range(40))
def test_the_bytes_that_are_missing_are_those_that_no_segment_has(seed: int) -> None:
    chance = random.Random(seed)
    pieces = [(start, 20) for start in range(0, 400, 20)]
    kept = [piece for piece in pieces if piece[0] == 0 or chance.random() > 0.15]
    for _ in range(6):  # neighbours change places, and some come twice
        at = chance.randrange(1, len(kept) - 1)
        kept[at], kept[at + 1] = kept[at + 1], kept[at]
    kept += chance.sample(kept, 3)
    stream, there = SenderStream(), set()
    for frame, (start, n) in enumerate(kept, 1):
        stream.feed((WORD - 200 + start) % WORD, n, frame)
        there |= set(range(start, start + n))
    stream.acknowledge(200, 99)
    stream.close()
    assert stream.n_lost == 400 - len(there)


def test_the_module_says_whether_it_is_compiled(build_under_test: str) -> None:
    assert module.COMPILED == (build_under_test == "compiled")
