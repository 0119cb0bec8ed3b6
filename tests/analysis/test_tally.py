"""A tally counts exactly what it tells apart, and knows how much it does not."""

from analyzer.analysis.tally import Tally


def test_the_most_frequent_come_first():
    tally = Tally()
    for value in ("b", "a", "c", "c"):
        tally.add(value)
    assert tally.first(2) == [("c", 2), ("a", 1)]
    assert (len(tally), tally["b"], tally["d"]) == (3, 1, 0)


def test_what_is_not_known_is_no_value():
    tally = Tally()
    tally.add(None, 3)
    assert (tally.unknown, len(tally)) == (3, 0)


def test_values_beyond_the_limit_are_counted_together():
    tally = Tally(most=2)
    for value in ("a", "b", "c", "d", "a"):
        tally.add(value)
    assert tally.first(9) == [("a", 2), ("b", 1)]
    assert tally.beyond == 2
