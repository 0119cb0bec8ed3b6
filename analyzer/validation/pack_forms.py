"""Writes a validation in its forms: HTML, PDF, Markdown, and the facts as JSON."""

from collections.abc import Callable
from typing import Any

import orjson

from analyzer.report.document import Document
from analyzer.validation.pack_document import build_pack

ENDINGS = {".html": "html", ".htm": "html", ".pdf": "pdf", ".md": "md", ".json": "json"}
"""The form by the ending of a file."""


def write_pack(facts: dict[str, Any], form: str, language: str, font_path: str | None = None) -> bytes:
    """Return the pack in a form of `ENDINGS`. The same facts give the same bytes.

    language: as in BCP 47; JSON is English in every language. font_path: see `write_pdf`, which may raise MissingFontError.
    """
    if form == "json":
        return orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n"
    return _writer(form, font_path)(build_pack(facts, language))


def _writer(form: str, font_path: str | None) -> Callable[[Document], bytes]:
    if form == "html":
        from analyzer.report.html_page import write_html

        return write_html
    if form == "md":
        from analyzer.report.markdown import write_markdown

        return write_markdown
    from analyzer.report.pdf import write_pdf

    return lambda document: write_pdf(document, None, font_path)
