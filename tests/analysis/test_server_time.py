"""When a response was sent by the clock of its server: dates in all forms of HTTP, ages, and what is none."""

import ssl

import pytest

from analyzer.analysis.server_time import server_time


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("Date", "Sun, 06 Nov 1994 08:49:37 GMT")], 784_111_777),
        ([("date", "Sunday, 06-Nov-94 08:49:37 GMT")], 784_111_777),
        ([("date", "Sun Nov  6 08:49:37 1994")], 784_111_777),
        ([("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("age", "60")], 784_111_837),
        ([("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("age", "-60")], None),
        ([("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("date", "Sun, 06 Nov 1994 08:49:38 GMT")], None),
        ([("date", "yesterday")], None),
        ([("date", "")], None),
        ([("date", "Sun, 06 Nov 99999999999 08:49:37 GMT")], None),
        ([("server", "x")], None),
        ([], None),
    ],
)
def test_dates_of_responses(headers: list[tuple[str, str]], expected: int | None) -> None:
    assert server_time(headers) == expected


def test_the_reference_time_is_right() -> None:
    assert ssl.cert_time_to_seconds("Nov  6 08:49:37 1994 GMT") == 784_111_777
