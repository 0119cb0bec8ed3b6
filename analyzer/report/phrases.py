"""Finds many phrases in a text at once and replaces them.

A phrase is found by the word it begins with: one look in a table for each word of the text, whatever the number of phrases
(the idea of Rabin and Karp, with words instead of rolling hashes). Case is ignored. A phrase is only found where no word goes
on before or behind it, so that `art` does not change `certificate`. A word ends where letters of ASCII and others meet: Chinese
and Japanese have no spaces.
"""

import re

_WORD = re.compile(r"[0-9A-Za-z_]+|[^\W0-9A-Za-z_]+")


def folded(text: str) -> str:
    """Return the text in lower case, with as many characters as before, so that places in both are the same."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(one if len(one.lower()) != 1 else one.lower() for one in text)


class Phrases:
    """Phrases with what takes their place. joins: characters, besides those of words, that make a word go on."""

    def __init__(self, joins: str = "") -> None:
        self._joins = joins
        self._by_word: dict[str, dict[tuple[int, int], dict[str, str]]] = {}
        """The word a phrase begins with, then characters before that word and length of the phrase, then the phrase."""
        self._wordless: dict[str, str] = {}

    def add(self, phrase: str, replacement: str) -> None:
        """Add a phrase. The first replacement of a phrase stays; an empty phrase is left out."""
        key = folded(phrase)
        word = _WORD.search(key)
        if word is None:
            if len(key) > 1:
                self._wordless.setdefault(key, replacement)
            return
        shapes = self._by_word.setdefault(word[0], {})
        shapes.setdefault((word.start(), len(key)), {}).setdefault(key, replacement)

    def replace(self, text: str) -> str:
        """Return the text with the longest phrase at each place replaced. What is put in is not searched again."""
        if not self._by_word and not self._wordless:
            return text
        key = folded(text)
        parts: list[str] = []
        done = 0
        for word in _WORD.finditer(key):
            shapes = self._by_word.get(word[0])
            if shapes is None:
                continue
            found = self._longest(key, word.start(), done, shapes)
            if found is not None:
                start, end, replacement = found
                parts += (text[done:start], replacement)
                done = end
        changed = "".join(parts) + text[done:] if parts else text
        for phrase, replacement in self._wordless.items():
            changed = changed.replace(phrase, replacement)
        return changed

    def _longest(
        self, key: str, at: int, done: int, shapes: dict[tuple[int, int], dict[str, str]]
    ) -> tuple[int, int, str] | None:
        best: tuple[int, int, str] | None = None
        for (before, length), phrases in shapes.items():
            start, end = at - before, at - before + length
            if start < done or end > len(key) or (best is not None and length <= best[1] - best[0]):
                continue
            replacement = phrases.get(key[start:end])
            if replacement is not None and not self._goes_on(key, start, end):
                best = start, end, replacement
        return best

    def _goes_on(self, key: str, start: int, end: int) -> bool:
        return (start > 0 and self._one_word(key[start - 1], key[start])) or (
            end < len(key) and self._one_word(key[end - 1], key[end])
        )

    def _one_word(self, before: str, after: str) -> bool:
        return self._in_word(before) and self._in_word(after) and before.isascii() == after.isascii()

    def _in_word(self, character: str) -> bool:
        return character.isalnum() or character == "_" or character in self._joins
