"""The formats of the column time: those of -t in tshark."""

import pytest

from analyzer.cli.time_format import TIME_FORMATS, TimeText

AT = 1_793_610_000_000_000_000


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("r", ["0.000000000", "0.500000000", "2.000000000"]),
        ("d", ["0.000000000", "0.500000000", "1.500000000"]),
        ("dd", ["0.000000000", "0.500000000", "2.000000000"]),
        ("e", ["1793610000.000000000", "1793610000.500000000", "1793610002.000000000"]),
        ("a", ["09:00:00.000000000", "09:00:00.500000000", "09:00:02.000000000"]),
        ("ad", ["2026-11-02 09:00:00.000000000", "2026-11-02 09:00:00.500000000", "2026-11-02 09:00:02.000000000"]),
        ("udoy", ["2026/306 09:00:00.000000000Z", "2026/306 09:00:00.500000000Z", "2026/306 09:00:02.000000000Z"]),
    ],
)
def test_times_are_those_of_tshark(name, texts):
    text = TimeText(name)
    found = []
    for number, at in enumerate((AT, AT + 500_000_000, AT + 2_000_000_000)):
        found.append(text.take(at))
        if number == 0:
            text.shown()
    assert found == texts


@pytest.mark.parametrize("name", TIME_FORMATS)
def test_a_time_that_is_none_or_beyond_all_dates_ends_no_run(name):
    text = TimeText(name)
    assert text.take(-1) == ""
    assert text.take(10**21)
