"""The report as a document: sections of blocks, which each form (HTML, PDF, Markdown) writes in its own way.

A document has no markup. Text is plain; each form escapes it. Text that a stranger can choose (names, subjects, header fields,
comments) is a `Quoted` piece, so that no form can take it for its own words, and it is marked where it is not plain ASCII.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Quoted:
    """Text out of a capture or a file, whole and unescaped. code: shown in a fixed-width font."""

    text: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """Text of ours in a fixed-width font: a hash, a number, a command."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Text of ours that stands out."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A reference to a place of the same document. anchor: of a section, or of a block that has one."""

    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A word with a meaning; colour supports it and never carries it alone.

    kind: `good`, `bad`, `unsure`, `plain`, or a severity.
    """

    text: str
    kind: str


Piece = str | Quoted | Code | Strong | Link | Mark
Line = Sequence[Piece]
"""Pieces one after the other. Spaces between them are part of the pieces."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph."""

    line: Line


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph that is set apart. kind: as of `Mark`."""

    line: Line
    kind: str = "plain"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list without numbers."""

    items: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with values, one below the other. A value that is not known is written as the catalogue's word for that."""

    rows: Sequence[tuple[str, Line]]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. heads: of the columns. right: columns with numbers. caption: what the rows are, for all readers.

    n_more: rows that are left out here. attachment: name of the attached file that has all of them; empty for none.
    """

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Line]]
    right: frozenset[int] = frozenset()
    n_more: int = 0
    attachment: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture. svg: a complete SVG document without script, styles from outside, or text of a stranger that is not escaped.

    text: what it shows, in words, for who cannot see it.
    """

    caption: str
    svg: str
    text: str


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder. side: `client`, `server`, `both` or `note`. kind: as of `Mark`. lines: label and value each."""

    time: str
    frame: int | None
    side: str
    title: Line
    kind: str = "plain"
    lines: Sequence[tuple[str, Line]] = ()
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Ladder:
    """The steps of a handshake between client and server, in the order of their time. n_more: steps that are left out."""

    caption: str
    client: Line
    server: Line
    rungs: Sequence[Rung]
    n_more: int = 0


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of a tree, for example of a certificate chain, with what hangs below it."""

    line: Line
    lines: Sequence[Line] = ()
    below: Sequence["Branch"] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree."""

    caption: str
    roots: Sequence[Branch]


Block = Paragraph | Note | Bullets | Facts | Grid | Figure | Ladder | Tree


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the document. anchor: its place for links, unique, of ASCII letters, digits and `-`."""

    anchor: str
    title: Line
    blocks: Sequence[Block] = ()
    sections: Sequence["Section"] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that belongs to the document. name: a plain file name. media_type: for example `text/csv`."""

    name: str
    media_type: str
    content: bytes
    description: str


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report. language: as in BCP 47. front: what stands on its first page. facts: of its title block."""

    title: str
    language: str
    facts: Facts
    front: Section
    sections: Sequence[Section]
    attachments: Sequence[Attachment] = field(default=())
