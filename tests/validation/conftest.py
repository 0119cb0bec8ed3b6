"""One validation for all tests of this room: it takes the time of a run, with tshark where there is one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from analyzer.crosscheck.tshark_program import TsharkError, TsharkProgram, find_tshark
from analyzer.validation.material import Material
from analyzer.validation.validation_run import validate


@dataclass(frozen=True)
class Run:
    """What a run gave, and what it told about its progress."""

    facts: dict[str, Any]
    steps: list[tuple[int, int]]


def tshark() -> TsharkProgram | None:
    try:
        return find_tshark()
    except TsharkError:
        return None


@pytest.fixture(scope="session")
def material() -> Material:
    return Material()


@pytest.fixture(scope="session")
def validation(material: Material) -> Run:
    steps: list[tuple[int, int]] = []
    return Run(validate(material, tshark(), 120, lambda n, total: steps.append((n, total))), steps)


@pytest.fixture(scope="session")
def trial_of(validation: Run) -> Callable[[str, str], dict[str, Any]]:
    """A function: the trial of a kind on a file."""
    by_name = {(trial["kind"], trial["material"]): trial for trial in validation.facts["trials"]}
    return lambda kind, name: by_name[kind, name]
