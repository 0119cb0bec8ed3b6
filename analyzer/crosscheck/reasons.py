"""Why tshark says something else than we do, where that is known: conditions on what both saw, never names of captures.

Each code stands in the registry `crosscheck_reasons` with its meaning and a reference.
"""

from dataclasses import dataclass
from typing import Any

from analyzer.crosscheck.comparison import Difference
from analyzer.crosscheck.tshark_facts import StreamFacts


@dataclass(frozen=True, slots=True)
class Case:
    """What is known where two values differ. record: our session record, None where only tshark has the session.

    stream: what tshark says, None where only we have it. version: of tshark. psks: whether external pre-shared keys were given.
    """

    record: dict[str, Any] | None
    stream: StreamFacts | None
    version: tuple[int, int, int]
    psks: bool


def reason(difference: Difference, case: Case) -> str | None:
    """Return the code of the reason of a difference; None if no reason is known."""
    return None
