"""The registry of reasons for which tshark is known to say something else than we do."""

import csv
import os
from dataclasses import dataclass, replace
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
def reason_codes(language: str = "en") -> dict[str, Reason]:
    """Return the reasons by code, in the order of the registry. Do not change the dict: it is cached.

    language: of the meanings, as in BCP 47. Raises FileNotFoundError if they are not translated into it.
    """
    if language == "en":
        return {row["code"]: Reason(**row) for row in _rows()}
    meanings = {row["code"]: row["meaning"] for row in _rows(language)}
    return {code: replace(reason, meaning=meanings[code]) for code, reason in reason_codes().items()}


def _rows(*folders: str) -> list[dict[str, str]]:
    with open(os.path.join(DIRECTORY, *folders, "crosscheck_reasons.csv"), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
