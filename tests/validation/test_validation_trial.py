import pytest

from analyzer.validation.validation_trial import (
    FAILED,
    NOT_RUN,
    PARTLY,
    PASSED,
    CannotRunError,
    Trial,
    Value,
    result_of,
    run_trial,
    value,
)


def trial(*values: Value) -> Trial:
    return Trial("R01", "frames", "a.pcap", lambda: values)


def test_a_trial_passes_only_if_all_values_are_equal():
    assert run_trial(trial(value("a", 1, 1), value("b", [2], [2]))).result == PASSED
    assert run_trial(trial(value("a", 1, 1), value("b", [2], [3]))).result == FAILED


def test_a_trial_that_compared_nothing_has_not_passed():
    assert run_trial(trial()).result == FAILED


def test_what_cannot_be_run_has_a_reason_and_has_not_passed():
    def run() -> list[Value]:
        raise CannotRunError("no_tshark")

    outcome = run_trial(Trial("R16", "tshark", "a.pcap", run))
    assert (outcome.result, outcome.reason, outcome.values) == (NOT_RUN, "no_tshark", [])


def test_text_and_number_of_the_same_look_are_not_hidden():
    assert value("a", "text", "text").expected == "text"
    assert value("a", None, None).expected == "null"
    assert value("a", {"b": 1, "a": 2}, {"a": 2, "b": 1}).is_equal
    assert not value("a", None, "").is_equal


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([PASSED, PASSED], PASSED),
        ([PASSED, NOT_RUN], PARTLY),
        ([PARTLY, PASSED], PARTLY),
        ([NOT_RUN, NOT_RUN], NOT_RUN),
        ([PASSED, NOT_RUN, FAILED], FAILED),
        ([], NOT_RUN),
    ],
)
def test_the_result_of_several(results: list[str], expected: str):
    assert result_of(results) == expected
