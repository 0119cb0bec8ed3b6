"""The first place of a value is remembered, up to a limit."""

from analyzer.analysis.repetitions import Repetitions
from analyzer.analysis.seen_values import SeenValues

MAX_VALUES = 1 << 15


def test_the_first_place_stays():
    seen = SeenValues()
    assert seen.first(b"a", 1) is None
    assert seen.first(b"a", 2) == 1
    assert seen.first(b"b", 3) is None
    assert seen.first(b"a", 4) == 1
    assert not seen.forgotten


def test_the_oldest_values_are_forgotten_and_used_ones_live_on():
    seen = SeenValues()
    seen.first(b"rare", "first")
    seen.first(b"used", "first")
    for number in range(3 * MAX_VALUES):
        seen.first(b"%d" % number, number)
        if number % 1000 == 0:
            assert seen.first(b"used", number) == "first"
    assert seen.first(b"rare", "later") is None
    assert seen.first(b"used", "later") == "first"
    assert seen.forgotten
    assert len(seen.younger) + len(seen.older) <= 2 * MAX_VALUES + 2


def test_a_few_values_forget_nothing():
    seen = SeenValues()
    for number in range(2 * MAX_VALUES):
        assert seen.first(b"%d" % number, number) is None
    assert not seen.forgotten
    assert all(seen.first(b"%d" % number, -1) == number for number in range(2 * MAX_VALUES))


def test_a_live_run_remembers_less():
    repetitions = Repetitions()
    repetitions.remember(10)
    certificates = repetitions.certificates
    for seen in (repetitions.randoms, repetitions.keys, repetitions.tickets, *(certificates.places, certificates.keys)):
        for number in range(100):
            seen.first(b"%d" % number, number)
        assert len(seen.younger) + len(seen.older) <= 22
        assert seen.first(b"99", -1) == 99
        assert seen.forgotten
