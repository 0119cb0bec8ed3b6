"""Recognizes finished English sentences by their form, and writes them in another language.

Rooms below know no language: their sentences are values of the records, with numbers and names already in them. A form is such
a sentence with fields in the place of these values. What stood in a field may have a form of its own, as a reason in a
sentence. Whatever no form has stays as it was, so nothing from a capture is lost or changed. A field in quotation marks is
always the text of somebody else. Terminal and report share these forms.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from string import Formatter

LONGEST = 1000
"""Characters of a text that is compared with the forms. Our sentences are shorter, unless a sender made them long."""

DEEPEST = 3
"""How deep texts inside of texts are recognized."""

NUMBER = "n"
"""The field that only a number fits."""

_FIELD = re.compile(r"\{(\w+)\}")
_QUOTED_FIELD = re.compile(r'"\{(\w+)\}"')
_COLON, _CHINESE_COLON = ": ", "："


class Untold(str):
    """A part of a text that no form has: a name, a number, or words of somebody else."""

    __slots__ = ()


class Retelling:
    """The forms of sentences, with the translation of each."""

    def __init__(self, translations: Iterable[tuple[str, str]]) -> None:
        """translations: English sentences and their translations. The fields of both are in braces, with the same names."""
        self._exact: dict[str, str] = {}
        self._forms: list[_Form] = []
        for sentence, translated in translations:
            parts = _FIELD.split(sentence)
            if len(parts) == 1:
                self._exact.setdefault(sentence, translated)
                continue
            sent = frozenset(_QUOTED_FIELD.findall(sentence))
            pieces = tuple((literal, field or "") for literal, field, _, _ in Formatter().parse(translated))
            self._forms.append(_Form(tuple(parts[1::2]), tuple(parts[::2]), sent, pieces))
        self._forms.sort(key=lambda form: -sum(map(len, form.fixed)))  # the most words first

    def tell(self, text: str, by_colon: bool = False, depth: int = 0) -> list[str]:
        """Return a text in parts: translated ones, and `Untold` ones as they were.

        by_colon: if no form has the text, tell what stands before and behind its first colon, as in an error: `FILE: WHY`.
        """
        if text in self._exact:
            return [self._exact[text]]
        if depth > DEEPEST or len(text) > LONGEST:
            return [Untold(text)]
        for form in self._forms:
            found = form.match(text)
            if found is not None:
                told = {name: [Untold(value)] if name in form.sent else self.tell(value, by_colon, depth + 1)
                        for name, value in found.items()}  # fmt: skip
                return [part for literal, field in form.pieces for part in (literal, *told.get(field, ())) if part]
        head, colon, rest = text.partition(_COLON)
        if by_colon and colon and head and rest:
            parts = [self.tell(head, True, depth + 1), self.tell(rest, True, depth + 1)]
            if any(not isinstance(part, Untold) for told_part in parts for part in told_part):
                return [*parts[0], _CHINESE_COLON, *parts[1]]
        return [Untold(text)]


@dataclass(frozen=True, slots=True)
class _Form:
    """fixed: the parts before, between and behind the fields. sent: fields in quotation marks. pieces: of the translation, each
    a fixed part and the field behind it."""

    fields: tuple[str, ...]
    fixed: tuple[str, ...]
    sent: frozenset[str]
    pieces: tuple[tuple[str, str], ...]

    def match(self, text: str) -> dict[str, str] | None:
        """Return the values of the fields, each up to the first place where the next part stands; None if it does not fit."""
        first, last = self.fixed[0], self.fixed[-1]
        end = len(text) - len(last)
        if not text.startswith(first) or not text.endswith(last):
            return None
        values: list[str] = []
        at = len(first)
        for part in self.fixed[1:-1]:
            place = text.find(part, at + 1, end)
            if place < 0:
                return None
            values.append(text[at:place])
            at = place + len(part)
        values.append(text[at:end])
        found = dict(zip(self.fields, values, strict=True))
        return found if at < end and _is_number(found.get(NUMBER, "0")) else None


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "").isdecimal()
