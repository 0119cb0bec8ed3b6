"""The report as Markdown: what a stranger wrote is text in it, and never markup."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from analyzer.report.build_document import build_document
from analyzer.report.document import Code, Document, Facts, Grid, Link, Mark, Paragraph, Quoted, Section, Strong
from analyzer.report.markdown import code_span, escaped, write_markdown
from analyzer.report.sentences import Sentences, languages

from .conftest import FactsOf
from .hostile_facts import HOSTILE, hostile_capture, poisoned

ANCHOR = re.compile(r'<a id="[a-z0-9-]+">|</a>')


def tokens_of(markdown: str) -> list[Token]:
    """Return all tokens, those inside of lines too."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    found = []
    for token in parser.parse(markdown):
        found += [token, *(token.children or ())]
    return found


def document(*blocks: Any) -> Document:
    return Document("t", "en", Facts(()), Section("front", ["f"]), [Section("a", ["a"], blocks)])


def check_inert(markdown: str) -> None:
    for token in tokens_of(markdown):
        if token.type in ("html_inline", "html_block"):
            assert re.sub(ANCHOR, "", token.content).strip() == "", token.content
        assert token.type not in ("image", "fence", "code_block", "hr"), token
        if token.type == "link_open":
            assert str(token.attrs["href"]).startswith("#"), token
        if token.type == "text":
            assert not re.search(r"@\w|https?://|www\.|(?i:gh)-\d|#\d", token.content), token.content


@pytest.mark.parametrize("language", languages())
def test_a_hostile_report_is_only_text(facts_of: FactsOf, language: str) -> None:
    facts = poisoned(json.loads(json.dumps(facts_of("demo.pcapng", "--trust", "demo/demo.ca.pem"))))
    made = write_markdown(build_document(facts, Sentences(language))).decode()
    check_inert(made)
    assert "<script>window.ran=1</script>" in "".join(token.content for token in tokens_of(made) if token.type == "code_inline")
    assert not re.search("[\u200b-\u200f\u2028-\u202e\x00-\x09\x0b-\x1f\x7f]", made)


def test_the_report_of_a_real_hostile_capture_is_only_text(facts_of: FactsOf, tmp_path: Path) -> None:
    path = tmp_path / "![a](javascript:request.invalid) | `b` @octocat\u202e.pcap"
    path.write_bytes(hostile_capture())
    made = write_markdown(build_document(facts_of(str(path)), Sentences("en"))).decode()
    check_inert(made)
    assert "CN=<script>window.ran=1</script>" in made.replace("\\", "")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_in_its_cell(text: str) -> None:
    line = [Quoted(text), Quoted(text, code=True), text[:500], Strong(text[:500]), Code(text[:500]), Mark(text[:500], "bad")]
    made = write_markdown(document(Grid("caption", ["a", "b"], [[line, ["x"]], [["y"], [Link(text[:500], "a")]]]))).decode()
    check_inert(made)
    found = tokens_of(made)
    assert [token.type for token in found].count("td_open") == 4
    assert [token.content for token in found if token.type == "inline"][-3] == "x"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_begins_no_block(text: str) -> None:
    made = write_markdown(document(Paragraph([Quoted(text), " and ", text[:500]]), Paragraph([text[:500]]))).decode()
    check_inert(made)
    assert [token.type for token in tokens_of(made)].count("paragraph_open") == 3 + 2


def test_code_spans_hold_any_run_of_backticks() -> None:
    for text in ("`", "``a`", " a", "a ", "a`b``c```"):
        [span] = [token for token in tokens_of(code_span(text)) if token.type == "code_inline"]
        assert span.content == text


def test_a_giant_word_takes_linear_time() -> None:
    """With a pattern that begins anew at each letter, this would take hours."""
    assert escaped("A" * 1_000_000) == "A" * 1_000_000
    assert escaped("A" * 1_000_000 + "@a") == f"`{'A' * 1_000_000}@a`"


def test_ordinary_text_is_readable_as_it_stands() -> None:
    assert escaped("2 of 8 connections: 1.20 MB (2026-11-02 09:00:01 UTC)") == (
        "2 of 8 connections: 1.20 MB (2026-11-02 09:00:01 UTC)"
    )
    made = write_markdown(document(Paragraph([Quoted("Court order 12 Js 34/26")]))).decode()
    assert "\nCourt order 12 Js 34/26\n" in made


def test_the_report_has_its_sections_and_tables(demo_facts: dict[str, Any]) -> None:
    made = write_markdown(build_document(demo_facts, Sentences("en"))).decode()
    found = tokens_of(made)
    assert [token.tag for token in found if token.type == "heading_open"].count("h1") == 1
    assert "## 10 Findings" in made
    assert [token.type for token in found].count("table_open") > 10
    anchors = set(re.findall(r'<a id="([a-z0-9-]+)">', made))
    assert {link[1:] for link in (str(token.attrs["href"]) for token in found if token.type == "link_open")} <= anchors


def test_a_giant_word_takes_no_more_time_than_it_is_long() -> None:
    began = time.process_time()
    assert escaped("A" * 400_000) == "A" * 400_000
    assert escaped("a www.b @c d#1 *e*") == "a `www.b` `@c` `d#1` \\*e\\*"
    assert time.process_time() - began < 5
