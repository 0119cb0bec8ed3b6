"""The registry of reasons."""

from analyzer.crosscheck.facts import FIELDS
from analyzer.crosscheck.reason_codes import reason_codes
from analyzer.crosscheck.reasons import _CONDITIONS


def test_every_reason_has_a_condition_a_meaning_and_a_reference():
    assert list(reason_codes()) == sorted(reason_codes(), key=list(_CONDITIONS).index)
    assert set(_CONDITIONS) == set(reason_codes())
    for reason in reason_codes().values():
        assert set(reason.field.split()) <= set(FIELDS)
        assert reason.meaning.endswith(".")
        assert len(reason.meaning) > 60
        assert reason.reference
