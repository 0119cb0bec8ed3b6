"""The catalogue of sentences: every word of ours in a report, one CSV file for each language in the folder `sentences`.

The columns are `key` and `text`. A text has fields as of `str.format`: `{name}` for a value, `{frame:d}` for a number without
groups of digits. A whole number without a format is written with groups: 1,204. A sentence that counts has two rows, `key.one`
and `key.other`, between which the field `n` decides; a language without a singular has `key.other` only. No sentence is put
together from parts in code, because the order of words differs between languages.
"""

import csv
import os
from functools import cache
from string import Formatter

from analyzer.report.document import Line, Piece

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sentences")

_FORMATTER = Formatter()


class UnknownLanguageError(ValueError):
    """A language without a catalogue."""


class UnknownSentenceError(KeyError):
    """A key that the catalogue does not have, or a field that the caller does not give."""


def languages() -> list[str]:
    """Return the languages that have a catalogue, as in BCP 47, in the order of the alphabet."""
    return sorted(name.removesuffix(".csv") for name in os.listdir(DIRECTORY) if name.endswith(".csv"))


_ENGLISH = (" ", ": ", "; ", ", ", " (", ")")
_MARKS = {"zh": ("", "：", "；", "、", "（", "）")}
"""What is between two sentences, after a label, between parts, between the items of a list, before and after an aside."""


class Sentences:
    """The sentences of one language. Raises `UnknownLanguageError` if there is no catalogue for it.

    language: as in BCP 47. gap: what is between two sentences. colon: what is after a label.
    semicolon: what is between parts. comma: what is between the items of a list.
    """

    def __init__(self, language: str = "en", beside: str | None = None) -> None:
        """beside: a folder with further catalogues, for a document with sentences of its own."""
        if language not in languages():
            raise UnknownLanguageError(f"no sentences for the language {language!r}; there are: {', '.join(languages())}")
        self.language = language
        self._texts = catalogue(language) | (catalogue(language, beside) if beside else {})
        self.gap, self.colon, self.semicolon, self.comma, *self._parentheses = _MARKS.get(language, _ENGLISH)

    def aside(self, *pieces: Piece) -> Line:
        """Return pieces in parentheses, to stand behind another one."""
        before, after = self._parentheses
        return [before, *pieces, after]

    def has(self, key: str) -> bool:
        """Return whether there is a sentence with this key, plain or counting."""
        return key in self._texts or f"{key}.other" in self._texts

    def say(self, key: str, /, **values: object) -> str:
        """Return a sentence with its values. Raises `UnknownSentenceError` for an unknown key or a missing field."""
        text = self._text(key, values)
        return "".join(literal + _plain(field, form, values, key) for literal, field, form in _parts(text))

    def line(self, key: str, /, **values: object) -> Line:
        """Return a sentence as pieces: values that are pieces (`Quoted`, `Link`, …) or lines of pieces stay what they are."""
        pieces: list[Piece] = []
        for literal, field, form in _parts(self._text(key, values)):
            _append(pieces, literal)
            value = values.get(field) if field else None
            if isinstance(value, list | tuple):
                for piece in value:
                    _append(pieces, piece)
            elif value is None or isinstance(value, str | int | float):
                _append(pieces, _plain(field, form, values, key))
            else:
                pieces.append(value)  # type: ignore[arg-type]  # a piece: the caller's types say so
        return pieces

    def _text(self, key: str, values: dict[str, object]) -> str:
        text = self._texts.get(key)
        if text is None and values.get("n") == 1:
            text = self._texts.get(f"{key}.one")
        if text is None:
            text = self._texts.get(f"{key}.other")
        if text is None:
            raise UnknownSentenceError(key)
        return text


@cache
def catalogue(language: str, folder: str = DIRECTORY) -> dict[str, str]:
    """Return the texts of a language by their keys. Raises `ValueError` if a key occurs twice or a row is not complete."""
    texts: dict[str, str] = {}
    with open(os.path.join(folder, language + ".csv"), encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, strict=True):
            key, text = row["key"], row["text"]
            if not key or not text or key in texts or None in row:
                raise ValueError(f"{language}.csv: the row of the key {key!r} is a second one or not complete")
            texts[key] = text
    return texts


def _append(pieces: list[Piece], piece: Piece) -> None:
    if isinstance(piece, str) and pieces and isinstance(pieces[-1], str):
        pieces[-1] += piece
    elif piece != "":
        pieces.append(piece)


@cache
def _parts(text: str) -> list[tuple[str, str | None, str]]:
    return [(literal, field, form or "") for literal, field, form, _ in _FORMATTER.parse(text)]


def _plain(field: str | None, form: str, values: dict[str, object], key: str) -> str:
    if field is None:
        return ""
    if field not in values:
        raise UnknownSentenceError(f"{key} needs {field}")
    value = values[field]
    if form:
        return format(value, form)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
