"""Times in filters: zones, fractions, the month-first form, local time."""

import time

import pytest

from analyzer.filters.filter_error import FilterError
from analyzer.filters.literal_times import absolute_time, relative_time

BASE = 1_041_339_600_000_000_000  # 2002-12-31T13:00:00Z


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("2002-12-31T13:00:00Z", 0),
        ("2002-12-31 13:00Z", 0),
        ("2002-12-31T14:00:00+01:00", 0),
        ("2002-12-31 14:00:00 +0100", 0),
        ("2002-12-31T11:00:00-02", 0),
        ("2002-12-31 13:00:00.000000001 UTC", 1),
        ("2002-12-31T13:00:00.12345678999Z", 123_456_789),
        ("Dec 31, 2002 13:00:00 UTC", 0),
        ("december 31, 2002 13:00:00.5 GMT", 500_000_000),
        ("Dec 31, 2002 08:00:00 EST", 0),
        ("Dec 31, 2002 14:00:00 A", 0),
        ("Dec 31, 2002 12:00:00 N", 0),
        ("1041339600", 0),
        ("2002-11-31 13:00:00Z", -30 * 86_400_000_000_000),
        ("Dec 31, 2002 12:59:61 UTC", 1_000_000_000),
        ("1041339600.25", 250_000_000),
    ],
)
def test_a_time_is_read(text, after):
    assert absolute_time(text, 0, 0) - BASE == after


def test_without_a_zone_it_is_local_time(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert absolute_time("2002-12-31 08:00:00", 0, 0) == BASE
        assert absolute_time("2002-07-31 08:00:00", 0, 0) == absolute_time("2002-07-31 12:00:00Z", 0, 0)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "text",
    ["", "now", "2002-13-01", "2002-02-32", "2002-02-30T10:00:00", "Dec 31, 2002 13:00:00 CET", "Foo 1, 2002",
     "2002-12-31T13:00:00J", "Dec 31, 2002 13:00:00 J", "0000-01-01Z", "9999-12-31 23:59:60Z", "2002-12-31 13:00:62Z",
     "2002-12-31T13:00:61Z"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text):
    with pytest.raises(FilterError, match="is no time"):
        absolute_time(text, 0, 0)


def test_seconds_are_exact():
    assert relative_time("0.1") == 100_000_000
    assert relative_time("1.2345678999") == 1_234_567_899
    assert relative_time("1.5e1") == 15_000_000_000
