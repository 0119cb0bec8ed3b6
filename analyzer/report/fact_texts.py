"""Writes the English texts inside the facts of a report in another language: what a step is, its labels, its explanation.

The facts are the same in every language. Where they have a text for people, its English form is a row of the English catalogue,
with fields for its values. A text is recognized by that form, and the row of the same key in the other catalogue says it.
What no row has the form of stays as it is, so that nothing from a capture is lost or changed.
"""

import re
from functools import cache

from analyzer.report.document import Line, Quoted
from analyzer.report.sentences import Sentences, catalogue

_KINDS = ("explain.", "label.", "step.", "check.", "detail.")
"""The keys of the rows with texts of the facts."""

LONGEST = 600
"""Characters of a text that is compared with the forms. The texts of the facts are shorter, unless a sender made them long."""

DEEPEST = 3
"""How deep texts inside of texts are recognized."""

_FIELD = re.compile(r"(\{\w+\})")

_OPEN_LABELS = frozenset(
    (
        "", "certificate", "cipher suites", "client", "compressed", "DH prime", "groups", "hidden", "issuers", "key shares",
        "lifetime", "resumes", "server", "signatures", "ticket", "to resume", "types", "until", "versions",
    )
)  # fmt: skip
"""The labels whose values are words of the program. All other values, such as a server name, were sent by somebody."""


def in_language(text: str, sentences: Sentences) -> Line:
    """Return a text of the facts in the language of the report; in its own words if no row of the catalogue has its form.

    Values in it, which may be from a capture, stay `Quoted`.
    """
    return [Quoted(text)] if sentences.language == "en" else _translated(text, sentences, 0)


def words_in_language(text: str, sentences: Sentences) -> str:
    """Return a text of this program, such as a label or an explanation, in the language of the report."""
    if sentences.language == "en":
        return text
    return "".join(piece if isinstance(piece, str) else getattr(piece, "text", "") for piece in _translated(text, sentences, 0))


def step_line(label: str, value: str, sentences: Sentences) -> tuple[str, Line]:
    """Return a label of a step and its value in the language of the report. Text that somebody sent is not touched."""
    line = in_language(value, sentences) if label in _OPEN_LABELS else [Quoted(value)]
    return words_in_language(label, sentences), line


def _translated(text: str, sentences: Sentences, depth: int) -> Line:
    exact, forms = _forms(sentences.language)
    if text in exact:
        return [exact[text]]
    if depth < DEEPEST and len(text) <= LONGEST:
        for form, key in forms:
            found = form.fullmatch(text)
            if found is not None:
                sent = _quoted_fields(key)
                values: dict[str, Line] = {
                    name: [Quoted(value)] if name in sent else _translated(value, sentences, depth + 1)
                    for name, value in found.groupdict().items()
                }
                return sentences.line(key, **values)
    return [Quoted(text)]


@cache
def _forms(language: str) -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
    """Return the texts without fields, with their translations, and the forms of the others, the ones with most words first."""
    exact: dict[str, str] = {}
    forms: list[tuple[int, re.Pattern[str], str]] = []
    translated = catalogue(language)
    for key, text in catalogue("en").items():
        if not key.startswith(_KINDS):
            continue
        parts = _FIELD.split(text)
        if len(parts) == 1:
            exact.setdefault(text, translated[key])
            continue
        pattern = "".join(
            f"(?P<{part[1:-1]}>{_value(part)})" if number % 2 else re.escape(part) for number, part in enumerate(parts)
        )
        forms.append((sum(map(len, parts[::2])), re.compile(pattern, re.DOTALL), key))
    forms.sort(key=lambda form: -form[0])
    return exact, [(form, key) for _, form, key in forms]


@cache
def _quoted_fields(key: str) -> frozenset[str]:
    """Return the fields between quotation marks: what somebody sent, which is never a text of ours."""
    return frozenset(re.findall(r'"\{(\w+)\}"', catalogue("en")[key]))


def _value(field: str) -> str:
    """Return the pattern of a field: `{n}` and what begins with it are numbers."""
    return r"[0-9][0-9,.]*" if field.startswith("{n}") else ".+?"
