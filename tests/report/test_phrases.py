"""Phrases: the longest one at each place is replaced, whatever its case, and never inside a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.report.phrases import Phrases, folded


def phrases(*pairs: tuple[str, str], joins: str = "") -> Phrases:
    """Phrases with what takes their place."""
    made = Phrases(joins)
    for phrase, replacement in pairs:
        made.add(phrase, replacement)
    return made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("art", "X"),
        ("ART and Art", "X and X"),
        ("certificate art", "certificate X"),
        ("art_1 art", "art_1 X"),
        ("Example Trust Services Root", "Z"),
        ("Example Trust Services", "Y"),
        ("Example Trust Service", "Example Trust Service"),
        ('"><b>x', "W"),
        ("***", "V"),
        ("", ""),
    ],
)
def test_phrases_are_replaced(text: str, expected: str) -> None:
    made = phrases(
        ("art", "X"), ("Example Trust Services", "Y"), ("example trust services root", "Z"), ('"><b>x', "W"), ("***", "V")
    )  # fmt: skip
    assert made.replace(text) == expected


def test_joins_make_a_word_go_on() -> None:
    assert phrases(("host", "X"), joins="-").replace("host host-1 a-host") == "X host-1 a-host"
    assert phrases(("host", "X")).replace("host host-1 a-host") == "X X-1 a-X"


def test_what_is_put_in_is_not_searched() -> None:
    assert phrases(("a", "b c"), ("b", "a")).replace("a b") == "b c a"


def test_first_replacement_stays() -> None:
    assert phrases(("a", "1"), ("A", "2"), ("", "3")).replace("a") == "1"


@given(st.text(), st.text(min_size=1), st.text())
def test_a_phrase_alone_is_found(before: str, phrase: str, after: str) -> None:
    made = phrases((phrase, "\u2603"))
    text = f"{before} {phrase} {after}"
    changed = made.replace(text)
    assert "\u2603" in changed or (len(phrase) == 1 and not phrase.isalnum() and phrase != "_") or not any(map(_word, phrase))


def _word(character: str) -> bool:
    return character.isalnum() or character == "_"


@given(st.text())
def test_folded_keeps_places(text: str) -> None:
    assert len(folded(text)) == len(text)
    assert folded(text.upper() if len(text.upper()) == len(text) else text)[:0] == ""


def test_letters_of_other_scripts_end_a_word() -> None:
    made = phrases(("alice", "X"), ("b\u00fccher", "Y"))
    assert made.replace("\u8bbf\u95eealice\u6210\u529f \u8bbf\u95eeb\u00fccher") == "\u8bbf\u95eeX\u6210\u529f \u8bbf\u95eeY"
    assert made.replace("malice b\u00fcchern") == "malice b\u00fcchern"
