"""Prepares text for the pages of a PDF: which characters can be written, where long words may break, how wide columns are.

Typst brings two families of fonts for text, Libertinus Serif and DejaVu Sans Mono: Latin, Greek, Cyrillic, Armenian,
Georgian, Hebrew, Arabic, and signs. `characters.csv` lists the characters that one of them has, in regular and in bold. A
mark that combines with a letter is only listed if both have it, because letter and mark must come from one font. All other
characters become escapes.

Typst breaks lines where Unicode Standard Annex 14 allows it, so a hash or a host name would run out of its column. Such words
are cut into parts here, and the template allows a break between two parts.
"""

import csv
import os
import re
from collections.abc import Callable, Sequence, Set
from functools import cache
from itertools import pairwise
from typing import Any

from analyzer.report.document import Code, Line, Link, Mark, Piece, Quoted, Strong
from analyzer.report.quoted_text import LONGEST, show
from analyzer.report.sentences import Sentences
from analyzer.text.escape import harmless

_CHARACTERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates", "characters.csv")

LONGEST_ESCAPED = 64
"""The longest text beyond ASCII of which the escaped form is written too, for readers who compare characters."""

IN_TEXT, IN_TABLES = 20, 10
"""How long the parts of words are, between which a line may break."""

_CHINESE = "\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\u2014\u2018\u2019\u201c\u201d\u2026"
"""Characters as wide as high, between which typst itself breaks lines."""

_LONG_WORD = re.compile(rf"[^ {_CHINESE}]{{13,}}")
_WIDE = re.compile(rf"[{_CHINESE}]")
_PART = re.compile(r"[^-_./:@=&?,;+\\]{1,8}[-_./:@=&?,;+\\]{0,2}|[-_./:@=&?,;+\\]{1,8}")
MOST_IN_LONG_TEXTS = 200_000
"""The most characters that long quoted texts have together. Those after them are shortened to `LONGEST_AFTER`."""

LONGEST_AFTER = 60

LONGEST_OF_OURS = 3000
"""The most characters of a text of ours. Only an examiner can make one long, and each may become an escape of ten."""

_ORDINARY = re.compile("[ -~…]*")
"""Text that no other text looks like, and the sign that this program sets where it shortens a text."""

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


def parts(text: str, length: int = IN_TEXT) -> list[str]:
    """Return a text in parts between which a line may break, besides the breaks at its spaces.

    length: about how long the parts of a long word are. Many parts make a page slow to set.
    """
    cuts: list[int] = []
    for word in _LONG_WORD.finditer(text) if len(text) > length else ():
        last = word.start()
        for part in _PART.finditer(text, word.start(), word.end()):
            if part.end() - last > length and part.start() > last:
                cuts.append(part.start())
                last = part.start()
    return [text[first:last] for first, last in pairwise((0, *cuts, len(text)))] if cuts else [text]


class PdfText:
    """Turns lines of a document into the JSON that the template reads.

    anchors: those of the document's sections. length: of the parts of long words. A line is a list of pieces. A plain piece is
    a list of parts; another one is an object with its `kind`.
    """

    __slots__ = ("_anchors", "_length", "_room", "_sentences", "_shown")

    def __init__(self, sentences: Sentences, anchors: frozenset[str], shown: Shown, length: int = IN_TEXT) -> None:
        self._length = length
        self._room = MOST_IN_LONG_TEXTS
        self._sentences = sentences
        self._anchors = anchors
        self._shown = shown

    def plain(self, text: str) -> list[str]:
        """Return a text of ours in parts. Spaces that do not break, which indent names in tables, stay what they are."""
        return parts("\u00a0".join(map(self._shown, self.limited(text).split("\u00a0"))), self._length)

    def limited(self, text: str, most: int = LONGEST_OF_OURS) -> str:
        """Return a text with at most so many characters, and how many are left out. PDF/A has no strings over 32,767 bytes."""
        if len(text) <= most:
            return text
        return text[:most] + " " + self._sentences.say("quoted.left_out", n=len(text) - most)

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
        shown = show(piece.text, self._sentences, LONGEST if self._room > 0 else LONGEST_AFTER)
        self._room -= max(0, len(shown.text) - LONGEST_AFTER)
        text = self._shown(shown.text)
        cuts = parts(text, self._length)
        if _RIGHT_TO_LEFT.search(text):
            cuts = [_ISOLATE, *cuts, _END_OF_ISOLATE]
        if shown.n_left_out:
            cuts.append(" " + self._sentences.say("quoted.left_out", n=shown.n_left_out))
        remark = self._sentences.semicolon.join(shown.remarks)
        unusual = not shown.plain and not _ORDINARY.fullmatch(text)
        if not remark and unusual and len(text) <= LONGEST_ESCAPED:
            remark = ascii_form(text)
        return {"kind": "quoted", "code": piece.code, "text": cuts, "remark": self.plain(remark) if remark else []}


def column_widths(
    heads: Sequence[str], rows: Sequence[Sequence[list[Any]]], right: Set[int], room: float, size: float
) -> list[float]:
    """Return the widths of the columns of a table in points, together as wide as the room.

    heads, rows: texts and lines of `PdfText`. right: columns with numbers. size: of the text, in points. A column that needs
    less than its part of the room gets what it needs. The others share the rest, the wider ones get more. What nobody needs
    goes to the columns without numbers.
    """
    needs = [_needed(text_width([head], bold=True), [cell_width(row[n]) for row in rows], size) for n, head in enumerate(heads)]
    widths = [0.0] * len(heads)
    open_columns = set(range(len(heads)))
    rest = room
    while open_columns:
        narrow = {n for n in open_columns if needs[n] <= rest / len(open_columns)}
        if not narrow:
            total = sum(needs[n] ** 0.5 for n in sorted(open_columns))
            return [rest * needs[n] ** 0.5 / total if n in open_columns else width for n, width in enumerate(widths)]
        for n in sorted(narrow):
            widths[n] = needs[n]
            rest -= needs[n]
        open_columns -= narrow
    wider = [0.2 * width if n in right else width for n, width in enumerate(widths)]
    return [width + rest * part / sum(wider) for width, part in zip(widths, wider, strict=True)]


def cell_width(line: list[Any]) -> float:
    """Return the width of a line of `PdfText`, in times the size of the text."""
    total = 0.0
    for piece in line:
        if isinstance(piece, list):
            total += text_width(piece)
        else:
            code = piece["kind"] == "code" or (piece["kind"] == "quoted" and piece["code"])
            total += text_width(piece["text"], code=code, bold=piece["kind"] in ("mark", "strong"))
            total += 1.4 if piece["kind"] == "mark" else 0
            total += 0.4 * sum(map(len, piece.get("remark", ())))
    return total


def text_width(text: Sequence[str], *, code: bool = False, bold: bool = False) -> float:
    """Return about how wide a text is, in times its size. The fixed font has one width; Libertinus Serif is narrower."""
    characters = "".join(text)
    n_chinese = 0 if characters.isascii() else len(_WIDE.findall(characters))
    if code:
        return 0.506 * (len(characters) - n_chinese) + 0.84 * n_chinese
    n_wide = sum(one.isupper() or one in "mw@%&—" for one in characters)
    n_narrow = sum(one in " .,:;'|ijlt()" for one in characters)
    width = 0.68 * n_wide + 0.3 * n_narrow + 0.5 * (len(characters) - n_wide - n_narrow - n_chinese) + n_chinese
    return width * 1.08 if bold else width


_PADDING = 8.5
"""What a cell needs beside its text, in points."""


def _needed(head: float, cells: Sequence[float], size: float) -> float:
    return max([min(head, 12.0), *cells]) * size + _PADDING
