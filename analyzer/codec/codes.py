"""The codes that records carry for programs, and what each means: registries of our own, in the form of `registry`.

A code is never renamed; the sentence beside it in a record is for people and may change. Each list of codes is one CSV file of
`registries/`: `findings` (what a session or a capture shows), `decryption_failures` (why something did not decrypt) and
`chain_problems` (what makes a certificate chain invalid). `analyzer fields --findings` and `--causes` print them.
"""

import csv
import os
from dataclasses import dataclass
from functools import cache

from analyzer.codec.registry import DIRECTORY

SEVERITIES = ("high", "medium", "low", "info")
"""The worst first: an attack or a false proof; no real protection, or a broken MUST; weak or lost; worth knowing."""


@dataclass(frozen=True, slots=True)
class Code:
    """One code. severities: those that a finding of it may have, the worst first. title: a few words. meaning: a sentence
    or two. advice: what to do next. reference: where the rule stands. refuted_by: what would show that it is not so.

    What a list does not have is empty.
    """

    code: str
    title: str
    severities: tuple[str, ...] = ()
    meaning: str = ""
    advice: str = ""
    reference: str = ""
    refuted_by: str = ""


@cache
def codes(name: str) -> dict[str, Code]:
    """The codes of one list, such as `findings`, in the order of its file. Nobody may change the dict."""
    with open(os.path.join(DIRECTORY, name + ".csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["code"]: Code(**row | {"severities": tuple(row.get("severities", "").split())}) for row in rows}
