"""Makes text of a stranger inert and honest for a reader: what is hidden is shown, what deceives the eye is said in words.

Control, bidirectional and invisible characters become escapes (Unicode UAX #9, UTS #39; see `text.escape`), piles of combining
marks a number. Long text is cut, with the number of characters that are left out. A name that mixes scripts, or is written in
letters that look like Latin ones, gets a remark (UTS #39 sections 4 and 5). A punycode label is shown with the letters that it
stands for (RFC 3492). All forms of a report write `Quoted` through this module.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from analyzer.report.chinese_font import chinese_characters
from analyzer.report.sentences import Sentences
from analyzer.text.escape import harmless

LONGEST = 400
"""Characters of one text that are shown. A subject or URL that is longer says nothing more to a reader."""

MOST_MARKS = 3
"""Combining marks on one letter that are shown as such. More of them cover the lines around it."""

PILE = "[+{}\N{DOTTED CIRCLE}]"
"""What stands for the other marks: their number."""

MOST_REMARKS = 3
"""Remarks on one text."""

MOST_NAMED = 40
"""Characters of a word that is named in a remark."""

LONG_RUN = 40
"""Characters without a space from which a text may be broken anywhere in a table."""

_LABEL = re.compile(r"(?i)(?<![a-z0-9-])xn--([a-z0-9-]{1,59})(?![a-z0-9-])")
_WORD = re.compile(r"\w+")

_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
)
"""Scripts that are written together (UTS #39 section 5.2, highly restrictive)."""

_TWINS = (
    "\u0430a\u0441c\u0501d\u0435e\u04bbh\u0456i\u0458j\u04cfl\u043eo\u0440p\u051bq\u0455s\u0475v\u051dw\u0445x\u0443y\u04afy"
    "\u0410A\u0412B\u0421C\u0415E\u041dH\u0406I\u0408J\u041aK\u041cM\u041eO\u0420P\u0405S\u0422T\u0425X\u04aeY"
    "\u03b1a\u03b9i\u03bfo\u03c1p\u03bdv\u03c5u\u0391A\u0392B\u0395E\u0397H\u0399I\u039aK\u039cM\u039dN\u039fO\u03a1P\u03a4T"
    "\u03a7X\u03a5Y\u0396Z\u0570h\u0578n\u0585o\u057du\u0581g\u0566q\u0131i\u0251a\u0261g\u0269i"
)
_LATIN = dict(zip(_TWINS[::2], _TWINS[1::2], strict=True))
"""Letters that look like a letter of ASCII, with that letter: a part of Unicode's confusables.txt."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Text that is ready for a reader, except for the escaping of its form.

    spans: the text in parts, each with whether it stands for a hidden character. n_left_out: characters after the last part
    that are not shown. remarks: sentences about what deceives. plain: whether all is `ordinary`. long: whether it has a
    run without a space that is too long for a line of a table.
    """

    spans: tuple[tuple[str, bool], ...]
    n_left_out: int
    remarks: tuple[str, ...]
    plain: bool
    long: bool

    @property
    def text(self) -> str:
        """The parts as one text."""
        return "".join(part for part, _ in self.spans)


def show(text: str, sentences: Sentences, longest: int = LONGEST) -> Shown:
    """Return how a text of a stranger is shown."""
    left_out = max(0, len(text) - longest)
    text = text[:longest]
    if ordinary(text, sentences.language):
        remarks = _remarks_on_labels(text, sentences) if "xn--" in text.lower() else []
        return Shown(((text, False),), left_out, tuple(remarks[:MOST_REMARKS]), True, _is_long(text))
    characters = _characters(text)
    spans = _spans(characters)
    remarks = []
    n_hidden = sum(escaped for _, escaped in characters)
    if n_hidden:
        remarks.append(sentences.say("quoted.hidden", n=n_hidden))
    remarks += _remarks_on_labels(text, sentences)
    for word in _WORD.findall(text):
        remarks += _remarks_on_word(word, sentences)
    return Shown(spans, left_out, tuple(dict.fromkeys(remarks))[:MOST_REMARKS], False, _is_long(text))


def ordinary(text: str, language: str) -> bool:
    """Return whether a text has only characters that deceive no reader: printable ASCII, and Chinese in a Chinese report."""
    if text.isascii():
        return text.isprintable()
    return language == "zh" and all(" " <= one <= "~" or one in chinese_characters() for one in text)


def inert(text: str) -> str:
    """Return text of ours, or of the tool's records, without any character that is not printable."""
    return harmless(text)


def scripts_of(word: str) -> list[str]:
    """Return the scripts of a word's letters by the first word of their Unicode names, in the order of the alphabet."""
    return sorted({unicodedata.name(letter, "UNKNOWN").partition(" ")[0] for letter in word if letter.isalpha()})


def skeleton(word: str) -> str | None:
    """Return the ASCII text that a word looks like; None if it is ASCII itself or looks like no such text."""
    folded = "".join(_LATIN.get(letter, letter) for letter in unicodedata.normalize("NFKC", word))
    return folded if folded.isascii() and folded != word else None


def _is_long(text: str) -> bool:
    return any(len(run) > LONG_RUN for run in text.split())


def _characters(text: str) -> list[tuple[str, bool]]:
    shown: list[tuple[str, bool]] = []
    marks = piled = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks > MOST_MARKS:
            piled += 1
            continue
        if piled:
            shown.append((PILE.format(piled), True))
            piled = 0
        safe = harmless(character)
        shown.append((safe, safe != character))
    if piled:
        shown.append((PILE.format(piled), True))
    return shown


def _spans(characters: Iterable[tuple[str, bool]]) -> tuple[tuple[str, bool], ...]:
    spans: list[tuple[str, bool]] = []
    for part, escaped in characters:
        if spans and spans[-1][1] == escaped:
            spans[-1] = spans[-1][0] + part, escaped
        else:
            spans.append((part, escaped))
    return tuple(spans)


def _remarks_on_labels(text: str, sentences: Sentences) -> list[str]:
    remarks: list[str] = []
    for label in dict.fromkeys(_LABEL.findall(text)):
        written = f"xn--{label}"
        try:
            meant = label.lower().encode("ascii").decode("punycode")
        except (UnicodeError, OverflowError):
            remarks.append(sentences.say("quoted.not_punycode", label=written))
            continue
        remarks.append(sentences.say("quoted.punycode", label=written, meant=harmless(meant)))
        remarks += _remarks_on_word(meant, sentences)
    return remarks


def _remarks_on_word(word: str, sentences: Sentences) -> list[str]:
    if word.isascii():
        return []
    scripts = scripts_of(word)
    names = sentences.comma.join(_script_name(script, sentences) for script in scripts)
    shown, looks = harmless(word[:MOST_NAMED]), skeleton(word[:MOST_NAMED])
    if looks is not None:
        return [sentences.say("quoted.lookalike", word=shown, looks=looks, scripts=names)]
    if len(scripts) > 1 and not any(set(scripts) <= together for together in _TOGETHER):
        return [sentences.say("quoted.mixed", word=shown, scripts=names)]
    return []


def _script_name(script: str, sentences: Sentences) -> str:
    key = f"script.{script.lower()}"
    return sentences.say(key) if sentences.has(key) else script.capitalize()
