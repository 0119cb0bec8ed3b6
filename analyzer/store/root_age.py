"""Says that an issuer is unknown only by roots that are years younger than the time of the verdict.

Stores change: an authority that every client trusted in 2014 may have left them since. So an issuer that the roots of today do
not know was not necessarily unknown then. A store has the date of its content (`trust.Store.date`), never that of its file.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from analyzer.x509.verdict import Note, Verdict

YEARS = 2
"""Least difference that is mentioned: roots change slowly."""


def with_root_age(verdict: Verdict, stores: Sequence[dict[str, Any]], at: datetime) -> Verdict:
    """Return a verdict with a note if its issuer is unknown and all stores are years younger than `at`, else the same one."""
    years = min((int(store["date"][:4]) - at.year for store in stores if store["date"][:4].isdigit()), default=0)
    if years < YEARS or all(problem.code != "unknown_issuer" for problem in verdict.problems):
        return verdict
    detail = f"the roots are {years} years younger than that moment, so the issuer may have been known then"
    return replace(verdict, notes=(*verdict.notes, Note("younger_roots", None, detail)))
