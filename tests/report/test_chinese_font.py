"""The font of a PDF in Chinese: it is found by the names of its files, has all characters, and without it one line says so."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from analyzer.report.build_document import build_document
from analyzer.report.chinese_font import (
    FAMILIES,
    PACKAGE,
    ChineseFont,
    MissingFontError,
    chinese_characters,
    chinese_font,
)
from analyzer.report.document import Document, Facts, Figure, Paragraph, Quoted, Section
from analyzer.report.pdf import write_pdf
from analyzer.report.plots import versions_svg
from analyzer.report.sentences import Sentences, catalogue

from .hostile_facts import poisoned
from .test_pdf import text_of


@pytest.fixture(scope="module")
def installed() -> ChineseFont:
    try:
        return chinese_font()
    except MissingFontError as error:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(error))


def document(*words: str) -> Document:
    picture = versions_svg(
        {"sessions": {"count": 1, "versions": {"TLS 1.3": 1}, "cipher_suites": {}, "groups": {}}}, Sentences("zh")
    )
    blocks = (*(Paragraph([word]) for word in words), Paragraph([Quoted("CN=张三\u202e")]), Figure("图", picture, "图"))
    return Document("检验报告", "zh", Facts([("检材编号", ["EX-7"])]), Section("summary", ["检验摘要"], blocks), ())


def test_families_are_found_in_their_order_wherever_they_are(tmp_path: Path) -> None:
    with pytest.raises(MissingFontError) as caught:
        chinese_font(str(tmp_path))
    assert PACKAGE in str(caught.value)
    assert "\n" not in str(caught.value)
    for number, (family, names) in reversed(list(enumerate(FAMILIES))):
        folder = tmp_path / f"{number}" / "inner"
        folder.mkdir(parents=True)
        (folder / names[-1].upper()).write_bytes(b"")
        other = tmp_path / f"{number}"
        assert chinese_font(str(other)) == ChineseFont(family, str(folder))
    for number, (family, names) in reversed(list(enumerate(FAMILIES))):
        (tmp_path / f"all {number}").mkdir()
        for _, others in FAMILIES[number:]:
            (tmp_path / f"all {number}" / others[0]).write_bytes(b"")
        assert chinese_font(str(tmp_path / f"all {number}")).family == family, names


def test_the_characters_are_those_of_chinese_text() -> None:
    characters = chinese_characters()
    assert len(characters) > 20_000
    assert set("检验报告（案件）。，、：；“”！？《》") - characters <= set("“”")
    assert not any(one.isascii() or one in "\u3000\u200b" for one in characters if not one.isspace())
    spoken = {one for text in catalogue("zh").values() for one in text if ord(one) >= 0x2E80}
    assert spoken <= characters


@pytest.mark.peer("pdftotext")
def test_a_pdf_in_chinese_has_its_characters_and_embeds_the_font(installed: ChineseFont, tmp_path: Path) -> None:
    content = write_pdf(document("所有记录均已解密：“验证通过”，共 3 条。", "\U0002000b 生僻字"))
    text = text_of(content, tmp_path)
    assert "所有记录均已解密：“验证通过”，共 3 条。" in text
    assert "检验摘要" in text
    assert "CN=张三\\u202e" in text
    assert "\\U0002000b 生僻字" in text
    assert installed.family.replace(" ", "").replace("SC", "").encode() in content.replace(b"sc-", b"-")


def test_the_same_document_and_font_give_the_same_bytes(installed: ChineseFont) -> None:
    assert write_pdf(document("相同")) == write_pdf(document("相同"), font_path=installed.folder)


@pytest.mark.peer("pdftotext")
def test_the_font_has_every_character_that_is_not_an_escape(installed: ChineseFont, tmp_path: Path) -> None:
    letters = sorted(chinese_characters())
    lines = ["".join(letters[first : first + 500]) for first in range(0, len(letters), 500)]
    text = text_of(write_pdf(document(*lines, "Ω")), tmp_path)
    assert "Ω" in text, "a character that no font has makes everything beyond ASCII and Chinese an escape"
    assert {one for one in letters if not one.isspace()} - set(text) == set()


@pytest.mark.peer("pdftotext")
def test_hostile_text_is_inert(installed: ChineseFont, failing_facts: dict[str, Any], tmp_path: Path) -> None:
    text = text_of(write_pdf(build_document(poisoned(failing_facts), Sentences("zh"))), tmp_path)
    assert not re.search("[\x00-\x08\x0b\x0e-\x1f\x7f\u202d\u202e\u2066\u2067\u200b\ufeff\ufffd]", text)
    assert "<script>" in text
    assert "检验发现" in text


def test_other_languages_need_no_font(tmp_path: Path) -> None:
    english = Document("Report", "en", Facts([]), Section("summary", ["Summary"], (Paragraph(["漢"]),)), ())
    assert write_pdf(english, font_path=str(tmp_path)).startswith(b"%PDF")
    with pytest.raises(MissingFontError):
        write_pdf(document("无字体"), font_path=str(tmp_path))
