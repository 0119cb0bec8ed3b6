"""An unknown issuer and roots that are years younger."""

from datetime import UTC, datetime

import pytest

from analyzer.store.root_age import with_root_age
from analyzer.x509.verdict import Problem, Verdict

UNKNOWN = Verdict(False, (b"",), (Problem("unknown_issuer", 0, "nobody knows it"),))


@pytest.mark.parametrize(
    ("dates", "year", "noted"),
    [
        (["2026-10-19"], 2014, 12),
        (["2026-10-19"], 2024, 2),
        (["2026-10-19"], 2025, None),
        (["2026-10-19", "2015-01-01"], 2014, None),
        (["2010-01-01"], 2014, None),
        ([], 2014, None),
    ],
)
def test_roots_of_a_later_time_are_mentioned(dates: list[str], year: int, noted: int | None) -> None:
    stores = [{"store": "a", "date": date} for date in dates]
    verdict = with_root_age(UNKNOWN, stores, datetime(year, 6, 1, tzinfo=UTC))
    assert verdict.problems == UNKNOWN.problems
    assert [note.code for note in verdict.notes] == ([] if noted is None else ["younger_roots"])
    if noted is not None:
        assert f"{noted} years younger" in verdict.notes[0].detail


def test_only_an_unknown_issuer_is_excused() -> None:
    expired = Verdict(False, (b"",), (Problem("expired", 0, "it is old"),))
    assert with_root_age(expired, [{"store": "a", "date": "2026-10-19"}], datetime(2014, 1, 1, tzinfo=UTC)) is expired
