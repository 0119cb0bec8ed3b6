"""Writes verdicts on certificate chains in a few words, the same in every view: valid, or the problems.

Two things are not an alarm. A rule that verifiers do not enforce (`non_conforming`) is named beside `valid`. An unknown issuer
is no fault of the sender where the roots at hand are years younger than the capture: the roots of that time had others.
"""

from collections.abc import Iterable
from typing import Any

from analyzer.text.authentication_text import problem_title
from analyzer.text.language import Sentences, say
from analyzer.text.punctuation import listing

UNKNOWN_ISSUER, NON_CONFORMING, YOUNGER_ROOTS = "unknown_issuer", "non_conforming", "younger_roots"
NOT_VISIBLE = "not_visible"

UNJUDGED = frozenset({NOT_VISIBLE, "cut", "unproved_key"})
"""Notes that say why the verdict on a chain is unknown."""

_NOTES: Sentences = {
    "duplicate": "duplicate",
    "misordered": "misordered",
    "extra": "extra",
    "missing_intermediate": "missing intermediate",
    "odd_encoding": "odd encoding",
    "revocation_unknown": "revocation unknown",
    "search_ended": "search ended",
    "staple_missing": "staple missing",
    "younger_roots": "younger roots",
    "raw_public_key": "raw public key",
    "not_visible": "not visible",
    "cut": "cut by the capture",
    "unproved_key": "key not proved",
}


def note_title(code: str) -> str:
    """Return a note on a chain in a few words."""
    return say(_NOTES[code])


def titles_text(problems: Iterable[str], *, younger: bool) -> str:
    """Return problems, by their codes, as a list of titles. younger: whether the roots are years younger than the moment."""
    return listing(_title(code, younger) for code in dict.fromkeys(problems))


def problem_style(code: str, *, younger: bool) -> str:
    """Return the style of a problem: red, or yellow if it is no alarm."""
    return "yellow" if code == NON_CONFORMING or (younger and code == UNKNOWN_ISSUER) else "red"


def verdict_style(problems: Iterable[str], *, younger: bool) -> str:
    """Return the style of an invalid chain with these problems: that of the worst of them."""
    return "red" if any(problem_style(code, younger=younger) == "red" for code in problems) else "yellow"


def is_younger(chain: dict[str, Any]) -> bool:
    """Return whether the roots by which a chain was judged are years younger than its time, and its issuer is unknown."""
    return any(note["code"] == YOUNGER_ROOTS for note in chain["notes"] or ())


def is_hidden(chain: dict[str, Any]) -> bool:
    """Return whether the capture does not show if a side sent certificates."""
    return any(note["code"] == NOT_VISIBLE for note in chain["notes"] or ())


def chain_text(chain: dict[str, Any]) -> tuple[str, str]:
    """Return the verdict on a chain of the session record as text, and its style; empty if none was sent."""
    if chain["verdict"] == "absent":
        return "", ""
    if chain["verdict"] == "unknown":
        told = [note_title(note["code"]) for note in chain["notes"] or () if note["code"] in UNJUDGED]
        return told[0] if told else say("unknown"), "dim" if is_hidden(chain) else "yellow"
    codes, younger = [problem["code"] for problem in chain["problems"] or ()], is_younger(chain)
    titles = titles_text(codes, younger=younger)
    if chain["verdict"] == "valid":
        return (say("valid, but {problems}", problems=titles) if titles else say("valid")), "green"
    return titles, verdict_style(codes, younger=younger)


def _title(code: str, younger: bool) -> str:
    if younger and code == UNKNOWN_ISSUER:
        return say("{problem} (the roots are years younger)", problem=problem_title(code))
    return problem_title(code)
