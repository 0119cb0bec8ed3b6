import pytest

from analyzer.text.formatting import (
    count_text,
    duration_text,
    endpoint_text,
    first_ranges,
    moment_text,
    offset_text,
    ranges_text,
    size_text,
)


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.00 kB"), (1460, "1.46 kB"), (99_950, "100 kB"),
     (999_499, "999 kB"), (999_500, "1.00 MB"), (440_441_424, "440 MB"), (10**18, "1000 PB")],
)  # fmt: skip
def test_sizes(n_bytes: int, text: str):
    assert size_text(n_bytes) == text


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [(0, "0 µs"), (340_000, "340 µs"), (85_552_938, "85.6 ms"), (1_085_000_000, "1.085 s"), (125 * 10**9, "2 min 05 s"),
     (3720 * 10**9, "1 h 02 min"), (50 * 3600 * 10**9, "2 days 2 h")],
)  # fmt: skip
def test_durations(nanoseconds: int, text: str):
    assert duration_text(nanoseconds) == text


def test_counts_and_times():
    assert count_text(1, "frame") == "1 frame"
    assert count_text(1204, "frame") == "1,204 frames"
    assert count_text(2, "address", "addresses") == "2 addresses"
    assert moment_text(-1) == moment_text(None) == "unknown"
    assert moment_text(1_500_000_000_123_456_789) == "2017-07-14 02:40:00.123456"
    assert offset_text(2_500_000, 1_000_000) == "+1.500 ms"
    assert offset_text(-1, 0) == ""


def test_numbers_as_ranges():
    assert ranges_text([3, 4, 0, 5, 9, 3]) == "0, 3-5, 9"
    assert ranges_text(range(0, 40, 2), limit=2) == "0, 2, … (20 in all)"
    assert ranges_text([]) == ""
    assert first_ranges([9, 1, 2, 5], limit=2, dash="\u2013") == (["1\u20132", "5"], False)
    assert first_ranges([9, 1, 2, 5]) == (["1-2", "5", "9"], True)


def test_an_end_of_a_connection():
    assert endpoint_text("192.0.2.1", 443) == "192.0.2.1:443"
    assert endpoint_text("::1", 443) == "[::1]:443"
