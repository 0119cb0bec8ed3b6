"""Counting in intervals whose length is given, or found."""

import random

import pytest

from analyzer.analysis import intervals as module
from analyzer.analysis.intervals import Intervals, series, shown_length

SECOND = 1_000_000_000


def test_a_given_length():
    counted = Intervals(10 * SECOND)
    for at in (5, 6, 14, 15, 25, 39):
        counted.count(at * SECOND, 100)
    assert list(series(counted, 0, 4)) == [(3, 300), (1, 100), (1, 100), (1, 100)]
    assert (counted.start, counted.last, counted.n_packets, counted.n_bytes) == (5 * SECOND, 39 * SECOND, 6, 600)


def test_a_packet_before_the_first_one_and_one_without_a_time():
    counted = Intervals(SECOND)
    for at in (10 * SECOND, 10 * SECOND - 1, 9 * SECOND, -1):
        counted.count(at, 50)
    assert list(series(counted, -1, 2)) == [(2, 100), (1, 50)]
    assert (counted.untimed, counted.n_packets, counted.first) == (1, 4, 9 * SECOND)


@pytest.mark.parametrize("reach", [10**6, 10**9, 10**12, 10**18])
def test_a_found_length_loses_nothing(reach: int):
    seen, counted = random.Random(reach), Intervals()
    for _ in range(3000):
        counted.count(2 * 10**18 + seen.randrange(-reach, reach), 7)
    assert len(counted.counts) <= module.MAX_INTERVALS
    assert sum(one.n_packets for one in counted.counts.values()) == 3000
    length = shown_length(counted.last - counted.first, 60, counted.length)
    counted.lengthen(length)
    assert sum(one.n_bytes for one in counted.counts.values()) == 21000
    assert max(counted.counts) - min(counted.counts) <= 61


@pytest.mark.parametrize(
    ("duration", "length"),
    [(0, 1000), (59_000, 1000), (28 * SECOND, SECOND // 2), (60 * SECOND, 2 * SECOND), (3600 * SECOND, 120 * SECOND)],
)
def test_lengths_are_usual_ones(duration: int, length: int):
    assert shown_length(duration, 60) == length


def test_a_length_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="no multiple"):
        Intervals(SECOND).lengthen(SECOND + 1)


@pytest.mark.skipif(module.COMPILED, reason="the bound is a constant in C")
def test_intervals_of_a_given_length_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MOST_GIVEN", 5)
    counted = Intervals(SECOND)
    for at in range(9):
        counted.count(at * SECOND, 1)
    assert (len(counted.counts), counted.beyond, counted.n_packets) == (5, 4, 9)
