"""Text for the pages of a PDF: which characters are written, where words may break, and how wide columns are."""

import unicodedata
from typing import Any

import pytest

from analyzer.report.document import Code, Link, Mark, Quoted, Strong
from analyzer.report.pdf_text import (
    IN_TABLES,
    IN_TEXT,
    PdfText,
    ascii_form,
    cell_width,
    column_widths,
    parts,
    showing,
    written_characters,
)
from analyzer.report.sentences import Sentences
from analyzer.text.escape import harmless


@pytest.fixture
def text() -> PdfText:
    return PdfText(Sentences("en"), frozenset({"here"}), showing(written_characters()))


def test_the_list_has_letters_and_nothing_that_is_not_printable() -> None:
    characters = written_characters()
    assert {"A", "é", "ß", "Ω", "Ж", "א", "\u0627", "€", "✓", "…"} <= characters
    assert not {"漢", "\u202e", "\u200b", "\u00a0", "\ufffc", "😀"} & characters
    assert [one for one in characters if harmless(one) != one] == []


def test_marks_that_only_one_font_has_are_not_written() -> None:
    marks = {one for one in written_characters() if unicodedata.category(one).startswith("M")}
    assert "\u0301" in marks
    assert not {"\u064b", "\u0f71", "\u20d0"} & marks


def test_other_characters_become_escapes() -> None:
    shown = showing(frozenset("aé"))
    assert shown("aéä漢😀") == "aé\\u00e4\\u6f22\\U0001f600"
    assert shown("a\x00\u202e") == "a\\x00\\u202e"
    assert ascii_form("aé😀") == "a\\u00e9\\U0001f600"


@pytest.mark.parametrize(
    ("whole", "cut"),
    [
        ("", [""]),
        ("short words stay whole", ["short words stay whole"]),
        ("0123456789ab", ["0123456789ab"]),
        ("0123456789abcdef01", ["01234567", "89abcdef01"]),
        ("see www.some-host.example.net", ["see www.some-", "host.", "example.", "net"]),
        ("TLS_AES_128_GCM_SHA256", ["TLS_AES_", "128_GCM_", "SHA256"]),
        ("-" * 20, ["-" * 8, "-" * 8, "-" * 4]),
    ],
)
def test_long_words_are_cut(whole: str, cut: list[str]) -> None:
    assert parts(whole, IN_TABLES) == cut


@pytest.mark.parametrize(
    "whole", ["a" * 5000, "a.b/c-d " * 99, "-._" * 500, "a" + "." * 500, "é" * 100, " leading and trailing "]
)
def test_the_parts_are_the_text_and_are_short(whole: str) -> None:
    for length in (IN_TABLES, IN_TEXT):
        assert "".join(parts(whole, length)) == whole
        assert all(len(word) <= length for part in parts(whole, length) for word in part.split(" "))


def test_many_long_texts_do_not_make_a_book(text: PdfText) -> None:
    sizes = [sum(map(len, quoted(text, "x" * 400)["text"])) for _ in range(1000)]
    assert sizes[0] == 400
    assert sizes[-1] < 100
    assert sum(sizes) < 400_000


def test_pieces_become_json(text: PdfText) -> None:
    line = text.line(["plain", Code("abc"), Strong("s"), Mark("bad", "high"), Link("to", "here"), Link("to", "nowhere")])
    assert line == [
        ["plain"],
        {"kind": "code", "text": ["abc"]},
        {"kind": "strong", "text": ["s"]},
        {"kind": "mark", "mark": "high", "text": ["bad"]},
        {"kind": "link", "anchor": "here", "text": ["to"]},
        ["to"],
    ]


def quoted(text: PdfText, words: str, code: bool = False) -> dict[str, Any]:
    (piece,) = text.line([Quoted(words, code)])
    assert isinstance(piece, dict)
    return piece


def test_quoted_text_beyond_ascii_has_a_remark(text: PdfText) -> None:
    assert quoted(text, "www.example", True) == {"kind": "quoted", "code": True, "text": ["www.example"], "remark": []}
    assert quoted(text, "short…")["remark"] == []
    assert "".join(quoted(text, "naïve")["remark"]) == "na\\u00efve"
    assert "looks like" in "".join(quoted(text, "\u0430pple.com")["remark"])


def test_text_from_right_to_left_does_not_move_what_is_beside_it(text: PdfText) -> None:
    shown = quoted(text, "דוגמה")["text"]
    assert (shown[0], shown[-1]) == ("\u2068", "\u2069")


def test_a_giant_text_is_shortened(text: PdfText) -> None:
    piece = quoted(text, "x" * 1_000_000)
    assert sum(map(len, piece["text"])) < 600
    assert piece["text"][-1].endswith("more characters)")


def test_spaces_that_do_not_break_stay_in_our_text_only(text: PdfText) -> None:
    assert text.plain("\u00a0\u00a0TCP") == ["\u00a0\u00a0TCP"]
    assert "\u00a0" not in "".join(quoted(text, "a\u00a0b")["text"])


def test_a_mark_has_room_for_its_sign_and_for_wide_letters() -> None:
    assert cell_width([{"kind": "mark", "mark": "medium", "text": ["medium"]}]) > cell_width([["medium"]]) + 1
    assert cell_width([["mmm"]]) > cell_width([["nnn"]])


def test_columns_fill_the_room_and_narrow_ones_get_what_they_need() -> None:
    rows = [[[["1"]], [["x" * 300]], [["y" * 30]]]] * 3
    widths = column_widths(["No.", "Long", "Name"], rows, {0}, 480, 8)
    assert sum(widths) == pytest.approx(480)
    assert widths[0] >= 8 * cell_width([["1"]])
    assert widths[1] > widths[2] > widths[0]
    assert widths[2] >= 8 * cell_width([["y" * 30]])


def test_columns_of_a_small_table_fill_the_room_too() -> None:
    assert sum(column_widths(["a", "b"], [[[["1"]], [["22"]]]], {0}, 480, 8)) == pytest.approx(480)
    assert column_widths(["only"], [], {0}, 480, 8) == [pytest.approx(480)]
    assert column_widths([], [], set(), 480, 8) == []
