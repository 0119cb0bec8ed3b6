"""Times, sizes, frames and names as a report writes them."""

import pytest

from analyzer.report.document import Link, Quoted
from analyzer.report.pieces import (
    duration,
    endpoint,
    frames_text,
    listed,
    moment,
    offset,
    or_unknown,
    seconds_between,
    session_link,
    share,
    size,
    top,
)
from analyzer.report.sentences import Sentences

ENGLISH = Sentences("en")


def test_moments() -> None:
    time = "2026-11-02T09:00:01.236840444Z"
    assert moment(time, ENGLISH) == "2026-11-02 09:00:01.236840 UTC"
    assert moment(time, ENGLISH, 0) == "2026-11-02 09:00:01 UTC"
    assert moment(time, ENGLISH, 9, "") == "2026-11-02 09:00:01.236840444"
    assert moment("2026-11-02T09:00:01Z", ENGLISH, 3) == "2026-11-02 09:00:01.000 UTC"
    assert moment(None, ENGLISH) == "not known"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "not known"),
        (0.0000004, "0 µs"),
        (0.00085, "850 µs"),
        (0.0856, "85.6 ms"),
        (1.085, "1.085 s"),
        (3723.5, "1:02:03 h"),
        (-7200.0, "-2:00:00 h"),
        (86_400.0 * 3, "3 days"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds, ENGLISH) == text


def test_offsets_have_a_sign() -> None:
    assert [offset(one, ENGLISH) for one in (0.5, -0.5, 86_400.0 * 21)] == ["+500.0 ms", "-500.0 ms", "+21 days"]


def test_spans_between_times() -> None:
    assert seconds_between("2026-11-02T09:00:01.200000000Z", "2026-11-02T09:00:04.840143385Z") == pytest.approx(3.640143)
    assert seconds_between(None, "2026-11-02T09:00:04.840143385Z") is None


@pytest.mark.parametrize(
    ("n_bytes", "text"), [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1234, "1.23 kB"), (999_600, "1.00 MB")]
)
def test_sizes(n_bytes: int, text: str) -> None:
    assert size(n_bytes, ENGLISH) == text


def test_shares() -> None:
    assert [share(1, 0), share(0, 5), share(1, 100_000), share(1, 3)] == ["", "0.0 %", "<0.1 %", "33.3 %"]


def test_frames_are_ranges() -> None:
    assert frames_text([5, 3, 4, 9], ENGLISH) == "3\u20135, 9"
    assert frames_text([], ENGLISH) == "none"
    assert frames_text(range(1, 40, 2), ENGLISH) == "1, 3, 5, 7, 9, 11, 13, 15, … (20 in all)"


def test_what_is_not_known_is_said() -> None:
    assert or_unknown(None, ENGLISH) == ["not known"]
    assert or_unknown(0, ENGLISH) == ["0"]
    assert or_unknown("a", ENGLISH) == [Quoted("a")]


def test_ends_of_connections() -> None:
    assert endpoint({"address": "192.0.2.1", "port": 443}) == Quoted("192.0.2.1:443", code=True)
    assert endpoint({"address": "2001:db8::1", "port": 443}) == Quoted("[2001:db8::1]:443", code=True)


def test_only_sessions_with_a_section_are_links() -> None:
    assert session_link(1204, frozenset({1204}), ENGLISH) == Link("session 1204", "session-1204")
    assert session_link(7, frozenset(), ENGLISH) == "session 7"
    assert session_link(None, frozenset(), ENGLISH) == "the capture"


def test_long_lists_say_how_much_is_left_out() -> None:
    assert listed(["a", "b", "c"], 2, ENGLISH) == [Quoted("a"), ", ", Quoted("b"), ", ", "and 1 more"]
    assert top({"b": 1, "a": 1, "c": 3}, 2) == ([("c", 3), ("a", 1)], 1)
