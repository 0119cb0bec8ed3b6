"""Prepares text for the pages of a PDF: which characters can be written, where long words may break, how wide columns are.

Typst brings two families of fonts for text, Libertinus Serif and DejaVu Sans Mono: Latin, Greek, Cyrillic, Armenian, Georgian,
Hebrew, Arabic, and signs. `characters.csv` lists the characters that one of them has, in regular and in bold. A mark that combines
with a letter is only listed if both have it, because letter and mark must come from one font. All other characters become escapes.

Typst breaks lines where Unicode Standard Annex 14 allows it, so a hash or a host name would run out of its column. Such words are
cut into parts here, and the template allows a break between two parts.
"""

import csv
import os
import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from analyzer.report.document import Code, Line, Link, Mark, Piece, Quoted, Strong
from analyzer.report.sentences import Sentences
from analyzer.text.escape import harmless

_CHARACTERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates", "characters.csv")

LONGEST = 2000
"""The most characters of one quoted text that are written."""

LONGEST_ESCAPED = 80
"""The longest text of which the escaped form is written too, for readers who compare characters."""

_LONG_WORD = re.compile(r"[^ ]{13,}")
_PART = re.compile(r"[^-_./:@=&?,;+\\]{1,8}[-_./:@=&?,;+\\]*|[-_./:@=&?,;+\\]{1,8}")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_ISOLATE, _END_OF_ISOLATE = "\u2068", "\u2069"

Shown = Callable[[str], str]


@cache
def written_characters() -> frozenset[str]:
    """Return the characters that the fonts of typst have."""
    with open(_CHARACTERS, encoding="ascii", newline="") as file:
        ranges = [(int(row["first"], 16), int(row["last"], 16)) for row in csv.DictReader(file)]
    return frozenset(chr(number) for first, last in ranges for number in range(first, last + 1))


def showing(characters: frozenset[str]) -> Shown:
    """Return the function that writes all characters but the given ones as escapes."""

    def shown(text: str) -> str:
        text = harmless(text)
        if text.isascii():
            return text
        return "".join(one if one in characters else ascii_form(one) for one in text)

    return shown


def ascii_form(text: str) -> str:
    """Return a text with escapes for all characters beyond ASCII: `\\u0430`, `\\U0001f600`."""
    return "".join(
        one if one.isascii() else f"\\u{ord(one):04x}" if ord(one) < 0x10000 else f"\\U{ord(one):08x}" for one in text
    )


def parts(text: str) -> list[str]:
    """Return a text in parts between which a line may break, besides the breaks at its spaces."""
    cuts, end = [], 0
    for word in _LONG_WORD.finditer(text):
        for part in _PART.finditer(text, word.start(), word.end()):
            if part.start() > end:
                cuts.append(part.start())
                end = part.start()
    return [text[first:last] for first, last in pairwise((0, *cuts, len(text)))] if cuts else [text]


class PdfText:
    """Turns lines of a document into the JSON that the template reads. anchors: those of the document's sections.

    A line is a list of pieces. A plain piece is a list of parts; another one is an object with its `kind`.
    """

    __slots__ = ("_anchors", "_sentences", "_shown")

    def __init__(self, sentences: Sentences, anchors: frozenset[str], shown: Shown) -> None:
        self._sentences = sentences
        self._anchors = anchors
        self._shown = shown

    def plain(self, text: str) -> list[str]:
        """Return a text of ours in parts."""
        return parts(self._shown(text))

    def line(self, line: Line) -> list[Any]:
        """Return a line."""
        return [self._piece(piece) for piece in line]

    def _piece(self, piece: Piece) -> Any:
        if isinstance(piece, str):
            return self.plain(piece)
        if isinstance(piece, Quoted):
            return self._quoted(piece)
        if isinstance(piece, Code):
            return {"kind": "code", "text": self.plain(piece.text)}
        if isinstance(piece, Mark):
            return {"kind": "mark", "mark": piece.kind, "text": self.plain(piece.text)}
        if isinstance(piece, Link) and piece.anchor in self._anchors:
            return {"kind": "link", "anchor": piece.anchor, "text": self.plain(piece.text)}
        return {"kind": "strong", "text": self.plain(piece.text)} if isinstance(piece, Strong) else self.plain(piece.text)

    def _quoted(self, piece: Quoted) -> dict[str, Any]:
        whole = piece.text if len(piece.text) <= LONGEST else piece.text[:LONGEST]
        text, foreign = self._shown(whole), ""
        if not text.isascii() and len(text) <= LONGEST_ESCAPED:
            foreign = ascii_form(text)
        shown = parts(text)
        if _RIGHT_TO_LEFT.search(text):
            shown = [_ISOLATE, *shown, _END_OF_ISOLATE]
        if len(whole) < len(piece.text):
            shown.append(" " + self._sentences.say("pdf.cut", n=len(piece.text) - len(whole)))
        return {"kind": "quoted", "code": piece.code, "text": shown, "foreign": parts(foreign) if foreign else []}


def column_widths(heads: Sequence[str], rows: Sequence[Sequence[list[Any]]], room: float, size: float) -> list[float]:
    """Return the widths of the columns of a table in points, together as wide as the room. rows: lines of `PdfText`. size: of text.

    A column that needs less than its part of the room gets what it needs. The others share the rest, the wider ones get more.
    """
    needs = [_needed(text_width([head], bold=True), [cell_width(row[n]) for row in rows], size) for n, head in enumerate(heads)]
    widths = [0.0] * len(heads)
    open_columns = set(range(len(heads)))
    rest = room
    while open_columns:
        weights = {n: needs[n] ** 0.5 for n in open_columns}
        scale = rest / sum(weights.values())
        narrow = [n for n in sorted(open_columns) if needs[n] <= weights[n] * scale]
        for n in narrow or sorted(open_columns):
            widths[n] = needs[n] if narrow else weights[n] * scale
        if not narrow:
            return widths
        rest -= sum(needs[n] for n in narrow)
        open_columns -= set(narrow)
    return [width + rest * width / sum(widths) for width in widths]


def cell_width(line: list[Any]) -> float:
    """Return the width of a line of `PdfText`, in times the size of the text."""
    total = 0.0
    for piece in line:
        if isinstance(piece, list):
            total += text_width(piece)
        else:
            code = piece["kind"] == "code" or (piece["kind"] == "quoted" and piece["code"])
            total += text_width(piece["text"], code=code, bold=piece["kind"] in ("mark", "strong"))
            total += 0.9 if piece["kind"] == "mark" else 0
            total += 0.43 * sum(map(len, piece.get("foreign", ()))) + 2 if piece.get("foreign") else 0
    return total


def text_width(text: Sequence[str], *, code: bool = False, bold: bool = False) -> float:
    """Return about how wide a text is, in times its size. The fixed font has one width; Libertinus Serif is narrower."""
    if code:
        return 0.506 * sum(map(len, text))
    width = sum(
        0.68 if one.isupper() or one in "@%&—" else 0.3 if one in " .,:;'|ijlt()" else 0.5 for part in text for one in part
    )
    return width * 1.08 if bold else width


_PADDING = 8.5
"""What a cell needs beside its text, in points."""


def _needed(head: float, cells: Sequence[float], size: float) -> float:
    return max([min(head, 12.0), *cells]) * size + _PADDING
