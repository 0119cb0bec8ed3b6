from pathlib import Path

import pytest

from analyzer.crosscheck.tshark_program import TsharkProgram, find_tshark
from analyzer.validation.material import Material
from analyzer.validation.tshark_trials import SecondProgram
from analyzer.validation.validation_trial import run_trial

from .conftest import Run


@pytest.mark.peer("tshark")
def test_tshark_and_the_analyzer_agree(validation: Run):
    found = validation.facts["crosscheck"]
    assert found["tshark"] == find_tshark().version_text
    assert found["compared"] > 1000
    assert found["agreed"] + found["explained"] == found["compared"]
    assert len(found["differences"]) == found["explained"]


def test_a_tshark_that_fails_compares_nothing(material: Material, tmp_path: Path):
    program = tmp_path / "tshark"
    program.write_text("#!/bin/sh\nexit 7\n")
    program.chmod(0o755)
    second = SecondProgram(TsharkProgram(str(program), (4, 0, 0)), 5)
    for one in list(second.trials(material))[:1] + list(second.trials(material))[-1:]:
        outcome = run_trial(one)
        assert (outcome.result, outcome.reason) == ("not_run", "tshark_failed")
