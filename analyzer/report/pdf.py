"""Writes a report as PDF/A-2b: with bookmarks, page numbers, embedded fonts, and tags for screen readers.

ISO 19005-2. The pages are set by typst, whose own fonts are used, and for Chinese one of this machine. The document goes to
the template `report.typ` as JSON. There its texts are strings, and typst never reads a string as markup, so that no text of a
capture can become a part of the template. The template loads nothing else, and no file is written, not even for a moment.

PDF/A wants a date of creation. There is no clock here: the date is the one that the caller gives, else the first second of
1970. PDF/A also forbids characters that no embedded font has. They are written as escapes, as is what is not printable.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from analyzer.report.chinese_font import ChineseFont, chinese_characters, chinese_font
from analyzer.report.document import (
    Block,
    Branch,
    Bullets,
    Code,
    Document,
    Facts,
    Figure,
    Grid,
    Ladder,
    Line,
    Note,
    Paragraph,
    Section,
    Tree,
)
from analyzer.report.pdf_text import IN_TABLES, PdfText, Shown, column_widths, showing, written_characters
from analyzer.report.plots import for_print
from analyzer.report.sentences import Sentences

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")

_ROOM = 481.8
"""The width of the text on a page, in points: A4 with two centimetres on each side."""

_TABLE_SIZE = 8.2
"""The size of text in tables, in points, as in the template."""

_TALLEST = 1.35
"""The height of a picture that fits a page, in times its width."""

_DEEPEST = 12
"""The levels of a tree that are indented. What is deeper stands at the last one."""

_LONGEST_TITLE = 300
"""The most characters of the title, which stands on each page."""

_LONG_RUNG = 1500
"""Characters of a step from which each of its lines is a paragraph of its own: typst is slow with long paragraphs."""

_MOST_CONTENTS = 90
"""The most entries of the table of contents. With more, it has the highest level only."""

_VIEW_BOX = re.compile(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"')

_ASCII = frozenset(map(chr, range(0x20, 0x7F)))


def write_pdf(document: Document, issued_at: datetime | None = None, font_path: str | None = None) -> bytes:
    """Return the document as a PDF file. issued_at: its date of creation. The same arguments and font give the same bytes.

    font_path: the folder of a font with Chinese characters; None for those that are installed. Raises `UnknownLanguageError` if
    there are no sentences in the document's language, `MissingFontError` if there is no font for it.
    """
    import typst  # it is large, and other forms of a report do not need it

    at = issued_at or datetime.fromtimestamp(0, UTC)
    font = chinese_font(font_path) if document.language == "zh" else None
    further = frozenset() if font is None else chinese_characters()
    try:
        return _compiled(document, at, showing(written_characters() | further), font)
    except typst.TypstError as error:
        if "could not be displayed" not in error.diagnostic:
            raise
        # Letters and marks that no font has together. ASCII is in all fonts.
        return _compiled(document, at, showing(_ASCII | further), font)


def _compiled(document: Document, at: datetime, shown: Shown, font: ChineseFont | None = None) -> bytes:
    import typst

    return typst.compile(
        os.path.join(DIRECTORY, "report.typ"),
        format="pdf",
        sys_inputs={"document": json.dumps(_Pages(document, shown, font.family if font else "").content())},
        root=DIRECTORY,
        package_path=DIRECTORY,
        package_cache_path=DIRECTORY,
        font_paths=[font.folder] if font else [],
        ignore_system_fonts=True,
        pdf_standards=["a-2b"],
        timestamp=at,
    )


class _Pages:
    """Turns a document into the JSON that the template reads."""

    __slots__ = ("_cells", "_document", "_family", "_sentences", "_shown", "_text")

    def __init__(self, document: Document, shown: Shown, family: str) -> None:
        """family: of the font with Chinese characters, empty for none."""
        self._family = family
        self._document = document
        self._shown = shown
        self._sentences = Sentences(document.language)
        anchors = frozenset(section.anchor for section in _all_sections((document.front, *document.sections)))
        self._text = PdfText(self._sentences, anchors, shown)
        self._cells = PdfText(self._sentences, anchors, shown, IN_TABLES)

    def content(self) -> dict[str, Any]:
        """Return the whole document."""
        document, text, say = self._document, self._text, self._sentences.line
        title = text.limited(document.title, _LONGEST_TITLE)
        entries = sum(1 + len(section.sections) for section in document.sections)
        return {
            "font": self._family,
            "title": self._shown(title),
            "shown_title": text.plain(title),
            "language": document.language.partition("-")[0],
            "facts": self._rows(document.facts),
            "header_left": text.line([title]),
            "header_right": text.line(self._exhibit()),
            "footer_left": text.line(say("pdf.footer")),
            "page": [
                {"kind": piece.text} if isinstance(piece, Code) else text.plain(str(piece))
                for piece in say("pdf.page", page=Code("page"), pages=Code("pages"))
            ],
            "contents": text.plain(self._sentences.say("page.contents")),
            "contents_depth": 2 if entries <= _MOST_CONTENTS else 1,
            "front": self._section(document.front),
            "sections": [self._section(section) for section in document.sections],
        }

    def _exhibit(self) -> Line:
        """Return the exhibit out of the title block. The title, which stands beside it, has the case."""
        label = self._sentences.say("case.exhibit")
        return next((value for name, value in self._document.facts.rows if name == label), [])

    def _section(self, section: Section) -> dict[str, Any]:
        return {
            "anchor": section.anchor,
            "title": self._text.line(section.title),
            "blocks": [self._block(block) for block in section.blocks],
            "sections": [self._section(inner) for inner in section.sections],
        }

    def _block(self, block: Block) -> dict[str, Any]:
        text = self._text
        match block:
            case Paragraph():
                return {"block": "paragraph", "line": text.line(block.line)}
            case Note():
                return {"block": "note", "kind": block.kind, "line": text.line(block.line)}
            case Bullets():
                return {"block": "bullets", "items": [text.line(item) for item in block.items]}
            case Facts():
                return {"block": "facts", "rows": self._rows(block)}
            case Grid():
                return self._grid(block)
            case Figure():
                return self._figure(block)
            case Ladder():
                return self._ladder(block)
            case Tree():
                roots = [self._branch(root, 0) for root in block.roots]
                return {"block": "tree", "caption": text.plain(block.caption), "roots": roots}

    def _rows(self, facts: Facts) -> list[Any]:
        return [[self._text.plain(name), self._text.line(value)] for name, value in facts.rows]

    def _grid(self, grid: Grid) -> dict[str, Any]:
        rows = [[self._cells.line(cell) for cell in row] for row in grid.rows]
        heads = [self._shown(head) for head in grid.heads]
        more: list[str] = []
        if grid.n_more:
            text = self._sentences.say("page.more_rows", n=grid.n_more)
            if grid.attachment:
                text += self._sentences.gap + self._sentences.say("page.all_in", name=grid.attachment)
            more = self._text.plain(text)
        return {
            "block": "grid",
            "caption": self._text.plain(grid.caption),
            "heads": [self._cells.plain(head) for head in grid.heads],
            "widths": column_widths(heads, rows, grid.right, _ROOM, _TABLE_SIZE),
            "right": sorted(grid.right),
            "rows": rows,
            "more": more,
        }

    def _figure(self, figure: Figure) -> dict[str, Any]:
        box = _VIEW_BOX.search(figure.svg)
        height = float(box[2]) / float(box[1]) if box else 1.0
        return {
            "block": "figure",
            "caption": self._text.plain(figure.caption),
            "svg": "\n".join(map(self._shown, for_print(figure.svg, self._family).split("\n"))),
            "text": self._shown(self._text.limited(figure.text)),
            "width": min(1.0, _TALLEST / height),
        }

    def _ladder(self, ladder: Ladder) -> dict[str, Any]:
        text = self._text
        return {
            "block": "ladder",
            "caption": text.plain(ladder.caption),
            "client": text.line(ladder.client),
            "server": text.line(ladder.server),
            "rungs": [
                {
                    "time": text.plain(rung.time),
                    "frame": [] if rung.frame is None else text.plain(self._sentences.say("frame", frame=rung.frame)),
                    "side": rung.side,
                    "title": text.line(rung.title),
                    "kind": rung.kind,
                    "lines": [[text.plain(name), text.line(value)] for name, value in rung.lines],
                    "explanation": text.plain(rung.explanation) if rung.explanation else [],
                    "long": sum(len(str(value)) for _, value in rung.lines) > _LONG_RUNG,
                }
                for rung in ladder.rungs
            ],
            "more": text.plain(self._sentences.say("page.more_steps", n=ladder.n_more)) if ladder.n_more else [],
        }

    def _branch(self, branch: Branch, depth: int) -> dict[str, Any]:
        deepest = depth == _DEEPEST
        below = [Branch(inner.line, inner.lines) for inner in _below(branch)] if deepest else branch.below
        return {
            "line": self._text.line(branch.line),
            "lines": [self._text.line(line) for line in branch.lines],
            "below": [self._branch(inner, depth + 1) for inner in below],
        }


def _below(branch: Branch) -> Iterator[Branch]:
    """Yield all branches below one, from the top to the bottom."""
    waiting = list(reversed(branch.below))
    while waiting:
        inner = waiting.pop()
        yield inner
        waiting += reversed(inner.below)


def _all_sections(sections: Iterable[Section]) -> Iterator[Section]:
    for section in sections:
        yield section
        yield from _all_sections(section.sections)
