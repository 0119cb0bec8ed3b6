"""Clocks of senders by TCP timestamps: their rates, their steps against the capture, and what is no step."""

import pytest

from analyzer.analysis import sender_clock as module
from analyzer.analysis.sender_clock import SenderClock

SECOND = 1_000_000_000
WORD = 1 << 32


def clock(rate: int, seconds: int = 60, first: int = 1000, fast: float = 1.0) -> SenderClock:
    """A clock that was watched ten times a second."""
    one = SenderClock(first, SECOND, 1)
    for step in range(1, 10 * seconds + 1):
        assert one.take((first + int(step * rate * fast / 10)) % WORD, SECOND + step * SECOND // 10, 1 + step) == 0
    return one


@pytest.mark.parametrize("rate", [10, 100, 250, 1000, 1_000_000])
def test_rates_of_known_systems_are_found(rate: int) -> None:
    assert clock(rate).rate == rate
    assert clock(rate, first=WORD - 50).rate == rate, "it goes through zero"


def test_other_rates_are_not() -> None:
    assert clock(700).rate == 0
    assert clock(1, seconds=20).rate == 0, "there are too few ticks"
    assert clock(1000).difference() == pytest.approx(0)
    assert clock(1000, fast=1.01).difference() == pytest.approx(0.6, abs=0.01)
    assert clock(700).difference() == 0


def test_a_step_is_the_difference_of_both_clocks() -> None:
    one = clock(1000)
    assert one.take(one.last + 500, one.last_at + 10 * SECOND, 700) == 9_500_000_000
    assert (one.step_from, one.last_frame) == (601, 700)
    assert one.take(one.last + 5000, one.last_at + SECOND, 701) == -4 * SECOND
    assert one.take(one.last + 1000, one.last_at + SECOND, 702) == 0


def test_delays_drift_and_what_may_have_begun_again_are_no_steps() -> None:
    one = clock(1000)
    assert one.take(one.last + 1000, one.last_at + SECOND * 19 // 10, 700) == 0
    assert one.take(one.last + 7_198_000, one.last_at + 7200 * SECOND, 701) == 0
    assert one.take(one.last, one.last_at + 30 * 86_400 * SECOND, 702) == 0


def test_without_a_rate_the_slowest_clock_is_supposed() -> None:
    one = SenderClock(5, 0, 1)
    assert one.take(6, 9 * SECOND, 2) == 0
    assert one.take(8, 109 * SECOND, 3) == 98 * SECOND
    assert one.take(2000, 200 * SECOND, 4) == 0


def test_values_before_the_last_one_are_older() -> None:
    one = SenderClock(5, 0, 1)
    assert one.is_older(4)
    assert one.is_older(WORD - 1)
    assert not one.is_older(5)
    assert not one.is_older(6)
    assert one.take(900, -SECOND, 2) == 0
    assert one.last == 5, "a time before the last one says nothing"


def test_the_module_says_whether_it_is_compiled(build_under_test: str) -> None:
    assert module.COMPILED == (build_under_test == "compiled")
