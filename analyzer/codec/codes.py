"""The codes in records, for use by programs, and the meaning of each code. The lists are CSV files, like those of `registry`.

A code is never renamed. The sentence next to it in a record is for people and may change. Each list of codes is one CSV file
in `registries/`: `findings` (what a session or a capture shows), `decryption_failures` (why something was not decrypted),
`chain_problems` (what makes a certificate chain invalid), `outcome_causes` (why a connection failed) and `alert_meanings`
(what an alert says). `analyzer fields --findings` and `--causes` print them.

`registries/LANGUAGE/NAME.csv` has the texts of a list in another language: the column `code`, and only the columns that are
translated. Codes, severities and references are the same in all languages.
"""

import csv
import os
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from analyzer.codec.registry import DIRECTORY

SEVERITIES = ("high", "medium", "low", "info")
"""Severities, the worst first.

high: an attack, or a handshake authentication that is false. medium: no real protection, or a MUST that is violated. low:
weak protection, or missing data. info: worth knowing.
"""


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a list.

    severities: those that a finding with this code may have, the worst first. title: a few words. meaning: one or two
    sentences. advice: what to do next. reference: the document and section that contain the rule. refuted_by: what would
    show that the finding is wrong. Attributes that the list does not have are empty.
    """

    code: str
    title: str
    severities: tuple[str, ...] = ()
    meaning: str = ""
    advice: str = ""
    reference: str = ""
    refuted_by: str = ""


@cache
def codes(name: str, language: str = "en") -> dict[str, Code]:
    """Return the codes of one list, such as `findings`, in the order of its file. Do not change the dict: it is cached.

    language: of the texts, as in BCP 47. Raises FileNotFoundError if the list is not translated into it.
    """
    if language != "en":
        translated = _rows(os.path.join(language, name))
        return {code: replace(one, **translated[code]) for code, one in codes(name).items()}
    return {
        code: Code(code, **row | {"severities": tuple(row.get("severities", "").split())}) for code, row in _rows(name).items()
    }


def _rows(name: str) -> dict[str, dict[str, Any]]:
    with open(os.path.join(DIRECTORY, name + ".csv"), encoding="utf-8", newline="") as file:
        return {row.pop("code"): row for row in csv.DictReader(file)}
