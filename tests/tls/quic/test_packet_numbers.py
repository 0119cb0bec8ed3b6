"""Sets of packet numbers against sets of Python."""

import random

import pytest

from analyzer.tls.quic.packet_numbers import MAX_RANGES, PacketNumbers


def filled(numbers: set[int]) -> PacketNumbers:
    known = PacketNumbers()
    for number in sorted(numbers, key=lambda one: one * 7919 % 1009):
        known.add(number, number)
    return known


@pytest.mark.parametrize("seed", range(10))
def test_like_sets(seed: int) -> None:
    source = random.Random(seed)
    one, other = ({source.randrange(200) for _ in range(source.randrange(150))} for _ in range(2))
    assert len(filled(one)) == len(one)
    assert filled(one).without(filled(other)) == len(one - other)
    known = filled(one)
    assert {number for number in range(-1, 202) if known.has(number)} == one
    first = source.randrange(200)
    known.add(first, first + 30)
    assert len(known) == len(one | set(range(first, first + 31)))


def test_ranges_are_limited() -> None:
    known = PacketNumbers()
    for number in range(0, 4 * MAX_RANGES, 2):
        known.add(number, number)
    assert len(known.starts) == MAX_RANGES
    assert known.full
