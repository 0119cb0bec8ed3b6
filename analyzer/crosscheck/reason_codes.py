"""The registry of reasons for which tshark is known to say something else than we do."""

import csv
import os
from dataclasses import dataclass
from functools import cache

from analyzer.codec.registry import DIRECTORY


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason.

    field: the fields that it explains, with a space between. meaning: what tshark does. reference: the document that says it.
    """

    code: str
    field: str
    meaning: str
    reference: str


@cache
def reason_codes() -> dict[str, Reason]:
    """Return the reasons by code, in the order of the registry. Do not change the dict: it is cached."""
    with open(os.path.join(DIRECTORY, "crosscheck_reasons.csv"), encoding="utf-8", newline="") as file:
        return {row["code"]: Reason(**row) for row in csv.DictReader(file)}
