r"""Writes the document of a report as GitHub-flavoured Markdown, in which no text of a capture is more than text.

Text of a stranger stands in a code span (CommonMark 6.1), where nothing is markup: no HTML, link, picture, mention or formula.
Only words and numbers without a sign that could be markup stand outside of one. Our own text is escaped with backslashes. A
pipe in a table ends the cell, whatever stands before it (GFM 4.10), so it is written as an escape there. Letters that are
written from right to left are escapes too, because Markdown has nothing that keeps them apart from the text around them.

A picture is left out, because GitHub shows none that is part of the text: the words that stand for it are there.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

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
    Link,
    Mark,
    Note,
    Paragraph,
    Piece,
    Quoted,
    Rung,
    Section,
    Strong,
    Tree,
)
from analyzer.report.quoted_text import inert, show
from analyzer.report.sentences import Sentences

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&$@^]|:(?=[^\s\d]))|\A([-+=])|\A(\d+)(?=[.)])")
"""What is markup in text of ours: signs anywhere, and at the beginning what would begin a list or underline a heading."""

_LINKED = re.compile(r"@\w|://|www\.|gh-\d|#\d", re.IGNORECASE)
"""What makes GitHub write a link or mention in the place of the word around it."""

_TAME = re.compile(r"(?!.*(?:www\.|gh-|[^ ]{31}))(?!\d+[.)])[a-z0-9(][a-z0-9 ,;%.()/?'-]*", re.IGNORECASE)
"""Text of a stranger that needs no code span: words without anything that GitHub makes a link of, such as www.a or GH-1."""

_DEEPEST = 6

_SIGNS = {"high": "▲ ", "medium": "◆ ", "low": "● ", "info": "○ ", "good": "✓ ", "bad": "✗ ", "unsure": "? "}


def write_markdown(document: Document) -> bytes:
    """Return the document, UTF-8, with the headings of its sections numbered as in the page."""
    writer = _Writer(Sentences(document.language))
    lines = list(writer.document(document))
    return ("\n".join(lines).rstrip("\n") + "\n").encode("utf-8", "backslashreplace")


def escaped(text: str) -> str:
    """Return text of ours so that none of its signs is markup. It has no line break, which would begin a block: see `inert`.

    A word of which GitHub makes a link or mention after it has read the Markdown stands in a code span.
    """
    text = _left_to_right(inert(text))
    if not _LINKED.search(text):
        return _MARKUP.sub(_escape, text)
    words = text.split(" ")
    return " ".join(code_span(word, cell=True) if _LINKED.search(word) else _MARKUP.sub(_escape, word) for word in words)


def _escape(found: re.Match[str]) -> str:
    return f"{found[3]}\\" if found[3] else f"\\{found[0]}"


def code_span(text: str, cell: bool = False) -> str:
    """Return inert text as a code span. cell: it stands in a table."""
    shown = _left_to_right(text)
    if cell:
        shown = shown.replace("|", "\\x7c")
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    space = " " if not shown.strip() or shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{space}{shown}{space}{fence}"


def _left_to_right(text: str) -> str:
    if text.isascii():
        return text
    return "".join(
        f"\\u{ord(one):04x}" if unicodedata.bidirectional(one) in ("R", "AL", "AN", "RLE", "RLO", "RLI") else one
        for one in text
    )


class _Writer:
    """Writes blocks as lines of Markdown."""

    def __init__(self, sentences: Sentences) -> None:
        self._sentences = sentences

    def document(self, document: Document) -> Iterator[str]:
        yield f"# {escaped(document.title)}"
        yield ""
        yield from self._facts(document.facts)
        yield from self._section(document.front, 2, "")
        yield f"## {escaped(self._sentences.say('page.contents'))}"
        yield ""
        for number, section in enumerate(document.sections, 1):
            yield f"{number}. [{self._line(section.title)}](#{section.anchor})"
        yield ""
        for number, section in enumerate(document.sections, 1):
            yield from self._section(section, 2, str(number))

    def _section(self, section: Section, level: int, number: str) -> Iterator[str]:
        yield f'<a id="{section.anchor}"></a>'
        yield ""
        head = f"{number} " if number else ""
        yield f"{'#' * min(level, _DEEPEST)} {head}{self._line(section.title)}"
        yield ""
        for block in section.blocks:
            yield from self._block(block)
        for place, one in enumerate(section.sections, 1):
            yield from self._section(one, level + 1, f"{number}.{place}" if number else "")

    def _block(self, block: Block) -> Iterator[str]:
        if isinstance(block, Paragraph):
            yield from (self._line(block.line), "")
        elif isinstance(block, Note):
            yield from (f"> {_SIGNS.get(block.kind, '')}{self._line(block.line)}", "")
        elif isinstance(block, Bullets):
            yield from (f"- {self._line(item)}" for item in block.items)
            yield ""
        elif isinstance(block, Facts):
            yield from self._facts(block)
        elif isinstance(block, Grid):
            yield from self._grid(block)
        elif isinstance(block, Figure):
            yield from (f"**{escaped(block.caption)}**", "", escaped(block.text), "")
        elif isinstance(block, Ladder):
            yield from self._ladder(block)
        else:
            yield from self._tree(block)

    def _facts(self, facts: Facts) -> Iterator[str]:
        for name, value in facts.rows:
            yield f"- **{escaped(name)}{self._sentences.colon.rstrip()}** {self._line(value)}"
        yield ""

    def _grid(self, grid: Grid) -> Iterator[str]:
        yield f"**{escaped(grid.caption)}**"
        yield ""
        yield self._row([[head] for head in grid.heads])
        yield "|" + "|".join(" ---: " if place in grid.right else " --- " for place in range(len(grid.heads))) + "|"
        yield from map(self._row, grid.rows)
        yield ""
        if grid.n_more > 0:
            more = escaped(self._sentences.say("page.more_rows", n=grid.n_more))
            if grid.attachment:
                more += self._sentences.gap + self._line(self._sentences.line("page.all_in", name=Code(grid.attachment)))
            yield from (more, "")

    def _row(self, cells: Sequence[Line]) -> str:
        return "| " + " | ".join(self._line(cell, cell=True) for cell in cells) + " |"

    def _ladder(self, ladder: Ladder) -> Iterator[str]:
        say = self._sentences.say
        yield f"**{escaped(ladder.caption)}**"
        yield ""
        yield f"- → {escaped(say('page.client'))} {self._line(ladder.client)}"
        yield f"- ← {escaped(say('page.server'))} {self._line(ladder.server)}"
        yield ""
        for rung in ladder.rungs:
            yield from self._rung(rung)
        yield ""
        if ladder.n_more > 0:
            yield from (escaped(say("page.more_steps", n=ladder.n_more)), "")

    def _rung(self, rung: Rung) -> Iterator[str]:
        arrow = {"client": "→", "server": "←", "both": "⇄"}.get(rung.side, "·")
        frame = "" if rung.frame is None else self._sentences.say("frame", frame=rung.frame)
        both = bool(frame and rung.time)
        where = self._sentences.say("page.frame_and_time", frame=frame, time=rung.time) if both else frame or rung.time
        yield f"- {arrow} {self._line(rung.title)}" + (self._line(self._sentences.aside(where)) if where else "")
        for name, value in rung.lines:
            yield f"  - {escaped(name) + self._sentences.colon if name else ''}{self._line(value)}"

    def _tree(self, tree: Tree) -> Iterator[str]:
        yield from (f"**{escaped(tree.caption)}**", "")
        for root in tree.roots:
            yield from self._branch(root, 0)
        yield ""

    def _branch(self, branch: Branch, depth: int) -> Iterator[str]:
        indent = "  " * depth
        yield f"{indent}- {self._line(branch.line)}"
        yield from (f"{indent}  - {self._line(line)}" for line in branch.lines)
        for below in branch.below:
            yield from self._branch(below, depth + 1)

    def _line(self, line: Line, cell: bool = False) -> str:
        return "".join(self._piece(piece, cell) for piece in line)

    def _piece(self, piece: Piece, cell: bool) -> str:
        if isinstance(piece, str):
            return _in_cell(escaped(piece), cell)
        if isinstance(piece, Quoted):
            return self._quoted(piece, cell)
        if isinstance(piece, Code):
            return code_span(inert(piece.text), cell)
        if isinstance(piece, Strong):
            return f"**{_in_cell(escaped(piece.text), cell)}**"
        if isinstance(piece, Link):
            return f"[{_in_cell(escaped(piece.text), cell)}](#{piece.anchor})"
        return self._mark(piece, cell)

    def _mark(self, mark: Mark, cell: bool) -> str:
        return f"**{_SIGNS.get(mark.kind, '')}{_in_cell(escaped(mark.text), cell)}**"

    def _quoted(self, piece: Quoted, cell: bool) -> str:
        shown = show(piece.text, self._sentences)
        text = shown.text
        written = text if _TAME.fullmatch(text) and text.strip() == text and not piece.code else code_span(text, cell)
        if shown.n_left_out:
            written += " " + escaped(self._sentences.say("quoted.left_out", n=shown.n_left_out))
        for remark in shown.remarks:
            written += f" (⚠ {code_span(remark, cell)})"
        return written if text else ""


def _in_cell(text: str, cell: bool) -> str:
    return text.replace("\\|", "\\\\x7c") if cell else text
