"""Writes the English texts inside the facts of a report in another language: what a step is, its labels, its explanation.

The facts are the same in every language. Where they have a text for people, its English form is in the catalogues of the
terminal, which translate each phrase once (`analyzer/text/retelling.py`), or, for the titles and values of steps, in a row of
the report's own catalogue. What no catalogue has the form of stays as it is, so nothing from a capture is lost or changed.
"""

import re
from functools import cache

from analyzer.report.document import Line, Piece, Quoted
from analyzer.report.sentences import Sentences
from analyzer.report.sentences import catalogue as rows
from analyzer.text.catalogues import CONTEXT_END, RETOLD, SAID, catalogue
from analyzer.text.explain import FURTHER
from analyzer.text.retelling import Retelling, Untold

_REFERENCES = re.compile(", (?=[A-Za-z])")
"""What is between references; a number behind a comma is a clause of a standard."""

_RFC, _NUMBER = re.compile(r"\bRFC\s(\d+)"), re.compile(r"\bRFC(\d+)")
"""An RFC as a text writes it, and as registries do."""

_LISTS = frozenset(("cipher suites", "groups", "key shares", "signatures", "types", "versions"))
"""The labels whose values are names of registries, with commas between them."""

_STEPS = "step."
"""Begins the keys of the rows with texts of the facts."""

_OPEN_LABELS = frozenset(
    (
        "", "certificate", "cipher suites", "client", "compressed", "DH prime", "groups", "hidden", "issuers", "key shares",
        "lifetime", "resumes", "server", "signatures", "ticket", "to resume", "types", "until", "versions",
    )
)  # fmt: skip
"""The labels whose values are words of the program. All other values, such as a server name, were sent by somebody."""


def in_language(text: str, sentences: Sentences) -> Line:
    """Return a text of the facts in the language of the report; in its own words if no catalogue has its form.

    Values in it, which may be from a capture, stay `Quoted`.
    """
    return [Quoted(text)] if sentences.language == "en" else _line(_facts(sentences.language).tell(text))


def parts_in_language(text: str, sentences: Sentences) -> Line:
    """Return a text of the facts that has several parts, with `; ` between them, in the language of the report."""
    if sentences.language == "en":
        return [Quoted(text)]
    parts: list[Piece] = []
    for number, part in enumerate(text.split("; ")):
        parts += [sentences.semicolon, *in_language(part, sentences)] if number else in_language(part, sentences)
    return parts


def words_in_language(text: str, sentences: Sentences) -> str:
    """Return a text of this program, such as a label or an explanation, in the language of the report."""
    return text if sentences.language == "en" else "".join(_words(sentences.language).tell(text))


def references_text(references: str, sentences: Sentences) -> str:
    """Return references to documents and their sections in the language of the report: `RFC 5280 section 6, RFC 9525`."""
    told = (words_in_language(_RFC.sub(r"RFC\1", one), sentences) for one in _REFERENCES.split(references))
    return sentences.comma.join(_NUMBER.sub(r"RFC \1", one) for one in told)


def explanation_in_language(text: str, sentences: Sentences) -> str:
    """Return the explanation of a step, which may be several sentences, in the language of the report."""
    if sentences.language == "en":
        return words_in_language(text, sentences)
    for last in FURTHER:
        if text.endswith(" " + last):
            head = explanation_in_language(text.removesuffix(" " + last), sentences)
            return head + sentences.gap + words_in_language(last, sentences)
    return words_in_language(text, sentences)


def step_line(label: str, value: str, sentences: Sentences) -> tuple[str, Line]:
    """Return a label of a step and its value in the language of the report. Text that somebody sent is not touched."""
    line = in_language(value, sentences) if label in _OPEN_LABELS else [Quoted(value)]
    if label in _LISTS:
        line = [Quoted(one.text.replace(", ", sentences.comma)) if isinstance(one, Quoted) else one for one in line]
    return words_in_language(label, sentences), line


def _line(parts: list[str]) -> Line:
    line: list[Piece] = []
    for part in parts:
        if isinstance(part, Untold):
            line.append(Quoted(str(part)))
        elif line and isinstance(line[-1], str):
            line[-1] += part
        else:
            line.append(part)
    return line


@cache
def _facts(language: str) -> Retelling:
    """Return the forms of details and of the values of steps."""
    steps = [(text, rows(language)[key]) for key, text in rows("en").items() if key.startswith(_STEPS)]
    return Retelling([*catalogue(language, RETOLD).items(), *steps])


@cache
def _words(language: str) -> Retelling:
    """Return the forms of texts in which nobody else has a word: labels, explanations, references, results of checks."""
    steps = [(text, rows(language)[key]) for key, text in rows("en").items() if key.startswith(_STEPS)]
    said = catalogue(language, SAID).items()
    plain = [(text, told) for text, told in said if CONTEXT_END not in text and ("{" not in text or _is_counting(text))]
    return Retelling([*plain, *steps])


def _is_counting(text: str) -> bool:
    return text.count("{") == 1 and "{n}" in text
