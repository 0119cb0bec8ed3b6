import sys

import pytest

from analyzer.validation import repeat_trials
from analyzer.validation.material import Material
from analyzer.validation.repeat_trials import digest_of
from analyzer.validation.validation_trial import run_trial


def first(material: Material, kind: str, scratch: str = "/nonexistent") -> str:
    trial = next(one for one in repeat_trials.repeat_trials(material, scratch) if one.kind == kind)
    outcome = run_trial(trial)
    return outcome.reason or outcome.result


def test_another_result_the_second_time_fails(material: Material, monkeypatch: pytest.MonkeyPatch):
    assert first(material, "two_processes") == "passed"
    monkeypatch.setattr(repeat_trials, "read_in_two_processes", lambda *arguments: [b"{}"])
    assert first(material, "two_processes") == "failed"


def test_a_command_that_fails_is_not_repeatable(material: Material):
    assert first(material, "report.json") == "failed"


def test_several_processes_are_not_tried_elsewhere(material: Material, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert first(material, "two_processes") == "not_linux"


def test_a_digest_tells_where_records_end():
    assert digest_of([b"a", b"b"]) != digest_of([b"ab"])
    assert digest_of([]).startswith("0: ")
