"""Writes the English texts inside the facts of a report in another language: what a step is, its labels, its explanation.

The facts are the same in every language. Where they have a text for people, its English form is a row of the English catalogue,
with fields for its values. A text is recognized by that form, and the row of the same key in the other catalogue says it.
What no row has the form of stays as it is, so that nothing from a capture is lost or changed.
"""

import re
from dataclasses import dataclass
from functools import cache

from analyzer.report.document import Line, Piece, Quoted
from analyzer.report.sentences import Sentences, catalogue

_KINDS = ("explain.", "label.", "step.", "check.", "detail.")
"""The keys of the rows with texts of the facts."""

LONGEST = 600
"""Characters of a text that is compared with the forms. The texts of the facts are shorter, unless a sender made them long."""

DEEPEST = 3
"""How deep texts inside of texts are recognized."""

_FIELD = re.compile(r"\{(\w+)\}")

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


def parts_in_language(text: str, sentences: Sentences) -> Line:
    """Return a text of the facts that has several parts, with `; ` between them, in the language of the report."""
    if sentences.language == "en":
        return [Quoted(text)]
    pieces: list[Piece] = []
    for number, part in enumerate(text.split("; ")):
        pieces += [sentences.semicolon, *_translated(part, sentences, 0)] if number else _translated(part, sentences, 0)
    return pieces


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
        for form in forms:
            found = form.match(text)
            if found is not None:
                values: dict[str, Line] = {
                    name: [Quoted(value)] if name in form.sent else _translated(value, sentences, depth + 1)
                    for name, value in found.items()
                }
                return sentences.line(form.key, **values)
    return [Quoted(text)]


@dataclass(frozen=True, slots=True)
class _Form:
    """A text with fields. fixed: the parts before, between and behind them. sent: fields in quotation marks, never ours."""

    key: str
    fields: tuple[str, ...]
    fixed: tuple[str, ...]
    sent: frozenset[str]

    def match(self, text: str) -> dict[str, str] | None:
        """Return the values of the fields, each up to the first place where the next part stands; None if it does not fit."""
        first, *between, last = self.fixed
        end = len(text) - len(last)
        if not text.startswith(first) or not text.endswith(last):
            return None
        values: list[str] = []
        at = len(first)
        for part in between:
            place = text.find(part, at + 1, end)
            if place < 0:
                return None
            values.append(text[at:place])
            at = place + len(part)
        values.append(text[at:end])
        found = dict(zip(self.fields, values, strict=True))
        return found if at < end and _is_number(found.get("n", "0")) else None


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "").isdecimal()


@cache
def _forms(language: str) -> tuple[dict[str, str], list[_Form]]:
    """Return the texts without fields, with their translations, and the forms of the others, the ones with most words first."""
    exact: dict[str, str] = {}
    forms: list[_Form] = []
    translated = catalogue(language)
    for key, text in catalogue("en").items():
        if not key.startswith(_KINDS):
            continue
        parts = _FIELD.split(text)
        if len(parts) == 1:
            exact.setdefault(text, translated[key])
        else:
            sent = frozenset(re.findall(r'"\{(\w+)\}"', text))
            forms.append(_Form(key, tuple(parts[1::2]), tuple(parts[::2]), sent))
    forms.sort(key=lambda form: -sum(map(len, form.fixed)))
    return exact, forms
