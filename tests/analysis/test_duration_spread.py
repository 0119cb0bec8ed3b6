"""Percentiles, exact for few values and close for many."""

import random

import pytest

from analyzer.analysis.duration_spread import EXACT, PERCENTILES, Spread


def spread_of(values: list[float]) -> Spread:
    spread = Spread()
    for value in values:
        spread.add(value)
    return spread


def test_few_values_are_exact():
    spread = spread_of([float(n) for n in range(1, 101)])
    assert [spread.percentile(part) for part in PERCENTILES] == [50, 75, 90, 95, 99]
    assert (spread.least, spread.most, spread.count, spread.exact, spread.total) == (1, 100, 100, True, 5050)


def test_no_value_has_no_percentile():
    assert (Spread().percentile(50), Spread().histogram(4), Spread().least) == (None, [], None)


@pytest.mark.parametrize("value", [0.0, -1.0, 5e-324, 1e300])
def test_any_value_is_taken(value: float):
    spread = spread_of([value] * 3)
    assert spread.percentile(99) == max(value, 0.0)
    assert spread.histogram(4) == [3, 0, 0, 0]


def test_many_values_are_within_one_percent():
    seen = random.Random(5)
    values = [seen.lognormvariate(-3, 2) for _ in range(3 * EXACT)]
    spread, ordered = spread_of(values), sorted(values)
    assert not spread.exact
    for part in PERCENTILES:
        known = ordered[-(-part * len(ordered) // 100) - 1]
        found = spread.percentile(part)
        assert found is not None
        assert abs(found - known) <= 0.011 * known
    assert sum(spread.histogram(16)) == len(values)
