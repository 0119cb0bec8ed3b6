"""One trial of a validation: what is expected of the method, what was observed, and what follows for its requirement.

A trial passes only if at least one value was compared and all are equal. What could not be run is `not_run` with the reason: it
never counts as passed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

PASSED, FAILED, NOT_RUN, PARTLY = "passed", "failed", "not_run", "partly"
"""Results. `partly`: of a requirement of which some trials could not be run, and no other failed."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value that was compared: both as text."""

    name: str
    expected: str
    observed: str

    @property
    def is_equal(self) -> bool:
        """Whether both are the same."""
        return self.expected == self.observed


class CannotRunError(Exception):
    """A trial cannot be run here. reason: a code, for which the catalogue has the sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial that can be run.

    requirement: id of what it is a trial of. kind: code of what is done, for which the catalogue has the sentence. material:
    names of what it is run on. run: returns the values that were compared. Raises CannotRunError.
    """

    requirement: str
    kind: str
    material: str
    run: Callable[[], Sequence[Value]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A trial after it was run. reason: why it was not run; None if it was."""

    trial: Trial
    values: Sequence[Value]
    reason: str | None

    @property
    def result(self) -> str:
        """`passed`, `failed` or `not_run`."""
        if self.reason is not None:
            return NOT_RUN
        return PASSED if self.values and all(value.is_equal for value in self.values) else FAILED


def value(name: str, expected: Any, observed: Any) -> Value:
    """Return a value of any type as text: strings as they are, all else as JSON."""
    return Value(name, _written(expected), _written(observed))


def run_trial(trial: Trial) -> Outcome:
    """Run a trial."""
    try:
        return Outcome(trial, list(trial.run()), None)
    except CannotRunError as error:
        return Outcome(trial, [], error.reason)


def result_of(results: Iterable[str]) -> str:
    """Return the result of several: failed if one is, passed only if all are."""
    found = set(results)
    if FAILED in found:
        return FAILED
    if found == {PASSED}:
        return PASSED
    return PARTLY if found - {NOT_RUN} else NOT_RUN


def _written(given: Any) -> str:
    return given if isinstance(given, str) else orjson.dumps(given, option=orjson.OPT_SORT_KEYS).decode()
