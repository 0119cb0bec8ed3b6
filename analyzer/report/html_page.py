"""Writes the document of a report as one HTML page, complete in itself: no script, no request, safe whatever a capture holds.

Everything is escaped by the template (jinja2 with autoescape). A Content-Security-Policy in the page forbids all that the page
does not need, so that even a mistake here could neither run a script nor reach a network (CSP Level 3). Only the style sheet
of the page, named by its hash, is allowed. Pictures are SVG inside the page, and are checked before they go in.
"""

import base64
import hashlib
import os
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analyzer.report.document import Attachment, Code, Document, Line, Link
from analyzer.report.quoted_text import inert, show
from analyzer.report.sentences import Sentences
from analyzer.report.svg_check import checked_svg

TEMPLATES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")

WIDE = 5
"""Columns from which a table scrolls by itself on a narrow screen, and can be reached with the keyboard for that."""

MANY = 7
"""Columns from which a table is set in small type."""

_TAGS = {"zh": "zh-CN"}
"""The languages whose writing has several forms, with the form of the catalogue (BCP 47): browsers choose fonts by it."""

BRIEF = 26
"""Characters of a cell that are not broken into lines: two dates, or a time."""


@dataclass(frozen=True, slots=True)
class File:
    """An attachment as a link: its content as a `data:` URL (RFC 2397), and its SHA-256."""

    name: str
    url: str
    sha256: str
    size: int
    description: str


def write_html(document: Document) -> bytes:
    """Return the page, UTF-8. Raises `ValueError` if a picture contains more than an inert picture may."""
    sentences = Sentences(document.language)
    style = _style()
    environment = _environment()
    page = environment.get_template("report.html").render(
        document=document,
        files=[_file(one) for one in document.attachments],
        style=Markup(style),  # noqa: S704 - our own style sheet
        policy=policy(style),
        say=sentences.say,
        show=lambda text: show(text, sentences),
        tag=_TAGS.get(document.language, document.language),
        all_in=lambda name: _all_in(name, document, sentences),
        numbers=_Numbers(),
    )
    return page.lstrip().encode("utf-8", "backslashreplace")


def policy(style: str) -> str:
    """Return the Content-Security-Policy of a page with this style sheet."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


class _Numbers:
    """Counts the blocks of a page that need a name of their own."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        """Return the next number."""
        self._last += 1
        return self._last


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["kind"] = lambda value: type(value).__name__
    environment.filters["inert"] = inert
    environment.filters["svg"] = lambda svg: Markup(checked_svg(svg))  # noqa: S704 - checked
    environment.filters["brief"] = _is_brief
    environment.globals["wide"] = lambda grid: len(grid.heads) >= WIDE
    environment.globals["many"] = lambda grid: len(grid.heads) >= MANY
    environment.globals["narrow"] = lambda grid: len(grid.heads) < WIDE and len(grid.right) > 1
    environment.globals["anchor_of"] = anchor_of
    return environment


@cache
def _style() -> str:
    with open(os.path.join(TEMPLATES, "report.css"), encoding="utf-8") as file:
        return file.read()


def _is_brief(cell: Line) -> bool:
    """Return whether a cell is so short that its words stay in one line, such as a date."""
    return all(isinstance(piece, str) for piece in cell) and sum(map(len, cell)) <= BRIEF  # type: ignore[arg-type]


def _all_in(name: str, document: Document, sentences: Sentences) -> Line:
    """Return the sentence that names the attachment with all rows: a link if the page has it."""
    attached = any(one.name == name for one in document.attachments)
    return sentences.line("page.all_in", name=Link(name, anchor_of(name)) if attached else Code(name))


def anchor_of(name: str) -> str:
    """Return the anchor of an attached file."""
    return "file-" + "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)


def _file(one: Attachment) -> File:
    content = base64.b64encode(one.content).decode()
    url = f"data:{one.media_type};base64,{content}"
    return File(one.name, url, hashlib.sha256(one.content).hexdigest(), len(one.content), one.description)
