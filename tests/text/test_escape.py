import csv
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.text.escape import csv_cell, csv_row, harmless

HARMFUL_CATEGORIES = {"Cc", "Cf", "Zl", "Zp", "Cs"}


def test_printable_text_stays_as_it_is():
    for text in ("www.example.org", "a b", "größe", "例え.jp", "C=AT,O=Österreich", ""):
        assert harmless(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\tc\rd\0", "a\\nb\\tc\\rd\\x00"),
        ("\x7f\x9b2J", "\\x7f\\x9b2J"),
        ("moc.elpmaxe\u202e", "moc.elpmaxe\\u202e"),
        ("pay\u200bpal", "pay\\u200bpal"),
        ("a\u2028b\u2029c\u2066", "a\\u2028b\\u2029c\\u2066"),
        ("\ufeff\ud800", "\\ufeff\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("a\u3164b\ufe0f", "a\\u3164b\\ufe0f"),
    ],
)
def test_characters_that_control_a_terminal_or_deceive_are_escaped(text: str, shown: str):
    assert harmless(text) == shown


@given(st.text(st.characters()))
def test_no_text_keeps_a_harmful_character(text: str):
    shown = harmless(text)
    assert not any(unicodedata.category(one) in HARMFUL_CATEGORIES for one in shown)
    assert harmless(shown) == shown
    shown.encode()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://evil")', " =1", "＝1"])  # noqa: RUF001
def test_no_cell_is_a_formula(text: str):
    (row,) = csv.reader([csv_cell(text)])
    assert row[0].startswith("'")


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"])), min_size=1, max_size=5))
def test_a_row_reads_back_as_its_values(values: list[str]):
    if values == [""]:
        return
    (row,) = csv.reader([csv_row(list(values))])
    assert [cell.removeprefix("'") for cell in row] == [harmless(value).removeprefix("'") for value in values]


def test_numbers_and_none_are_not_text():
    assert csv_row([None, -1, True, False, 2.5]) == ",-1,true,false,2.5\r\n"
