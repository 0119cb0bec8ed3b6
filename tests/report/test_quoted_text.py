"""How text of a stranger is shown: nothing hidden, nothing endless, and what deceives the eye is said."""

import unicodedata

import pytest

from analyzer.report.quoted_text import LONGEST, MOST_REMARKS, scripts_of, show, skeleton
from analyzer.report.sentences import Sentences

ENGLISH = Sentences("en")


def test_plain_text_is_left_alone() -> None:
    shown = show("www.example.com", ENGLISH)
    assert (shown.text, shown.n_left_out, shown.remarks, shown.plain) == ("www.example.com", 0, (), True)


@pytest.mark.parametrize("text", ["Müller & Söhne", "東京.example", "пример", "日本語テキスト", "한국어 漢字"])
def test_text_in_one_language_needs_no_remark(text: str) -> None:
    shown = show(text, ENGLISH)
    assert shown.text == text
    assert shown.remarks == ()
    assert not shown.plain


def test_hidden_characters_are_escapes_and_counted() -> None:
    shown = show("moc.live\u202e\u200bwww\x1b[31m", ENGLISH)
    assert shown.text == "moc.live\\u202e\\u200bwww\\x1b[31m"
    assert [part for part, escaped in shown.spans if escaped] == ["\\u202e\\u200b", "\\x1b"]
    assert shown.remarks == ("3 hidden characters are written as escapes",)
    assert not [one for one in shown.text if unicodedata.category(one) in ("Cc", "Cf")]


def test_text_that_looks_like_an_escape_is_not_one() -> None:
    assert show("\\u202e", ENGLISH).spans == (("\\u202e", False),)


def test_a_giant_text_is_cut_with_the_number_of_its_rest() -> None:
    shown = show("a" * (1 << 20), ENGLISH)
    assert len(shown.text) == LONGEST
    assert shown.n_left_out == (1 << 20) - LONGEST
    assert shown.long


def test_piled_up_marks_are_escapes() -> None:
    shown = show("Z" + "\u0300" * 50 + "a\u0308", ENGLISH)
    assert shown.text == "Z" + "\u0300" * 3 + "[+47\u25cc]a\u0308"
    assert shown.spans[1] == ("[+47\u25cc]", True)


def test_letters_that_look_like_latin_ones() -> None:
    [remark] = show("www.\u0430\u0440\u0440\u04cf\u0435.com", ENGLISH).remarks
    assert remark == "“аррӏе” looks like “apple” and is not: it is written with letters of Cyrillic"  # noqa: RUF001


def test_mixed_scripts() -> None:
    assert show("pay\u0440al.com", ENGLISH).remarks == (
        "“pay\u0440al” looks like “paypal” and is not: it is written with letters of Cyrillic, Latin",
    )
    assert show("ab\u0436cd", ENGLISH).remarks == ("“ab\u0436cd” mixes letters of Cyrillic, Latin",)
    assert scripts_of("ab\u0436cd") == ["CYRILLIC", "LATIN"]


def test_punycode_is_shown_with_its_letters() -> None:
    assert show("xn--e1afmkfd.example", ENGLISH).remarks == ("xn--e1afmkfd stands for “пример”",)
    remarks = show("XN--80AK6AA92E.com", ENGLISH).remarks
    assert remarks[0] == "xn--80AK6AA92E stands for “аррӏе”"  # noqa: RUF001
    assert "looks like “apple”" in remarks[1]
    assert show("xn--99999999999", ENGLISH).remarks == ("xn--99999999999 is not valid punycode",)


def test_letters_in_another_form() -> None:
    assert skeleton("\uff45\uff58\uff41mple") == "example"
    assert skeleton("example") is None
    assert skeleton("\u0436") is None


def test_remarks_are_few() -> None:
    text = " ".join(f"a{number}\u0436" for number in range(100))
    assert len(show(text, ENGLISH).remarks) == MOST_REMARKS
