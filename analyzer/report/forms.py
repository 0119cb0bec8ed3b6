"""Writes the facts of a report in its forms: HTML, PDF, Markdown, JSON, CASE/UCO and STIX."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

import orjson

from analyzer.report.build_document import build_document
from analyzer.report.document import Document
from analyzer.report.sentences import Sentences

NAMES = {
    "html": "report.html",
    "pdf": "report.pdf",
    "md": "report.md",
    "json": "report.json",
    "case": "report.case.jsonld",
    "stix": "report.stix.json",
}
"""The forms, with the name that each has in a bundle."""


class Forms:
    """Writes the facts. Each form that reads the document shares it.

    facts: of the report, redacted if they have to be. contents: of the attached tables, by name.
    """

    def __init__(self, facts: dict[str, Any], contents: Mapping[str, bytes], font_path: str | None = None) -> None:
        """font_path: see `write_pdf`."""
        self._font_path = font_path
        self._facts = facts
        self._contents = contents

    def write(self, form: str) -> bytes:
        """Return the report in a form of NAMES.

        Raises ModuleNotFoundError if the form needs a package that is missing; see `write_pdf` for fonts.
        """
        if form == "html":
            from analyzer.report.html_page import write_html

            return write_html(self._document)
        if form == "pdf":
            from analyzer.report.pdf import write_pdf

            issued_at = self._facts["issued_at"]
            return write_pdf(self._document, None if issued_at is None else datetime.fromisoformat(issued_at), self._font_path)
        if form == "md":
            from analyzer.report.markdown import write_markdown

            return write_markdown(self._document)
        if form == "case":
            from analyzer.report.case_uco import write_case

            return write_case(self._facts)
        if form == "stix":
            from analyzer.report.stix_bundle import write_stix

            return write_stix(self._facts)
        return orjson.dumps(self._facts, option=orjson.OPT_INDENT_2) + b"\n"

    @cached_property
    def _document(self) -> Document:
        return build_document(self._facts, Sentences(self._facts["options"]["language"]), self._contents)
