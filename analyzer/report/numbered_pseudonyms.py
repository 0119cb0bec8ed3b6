"""Replaces values that identify something, such as hashes of certificates, by numbered words: `certificate-1`, `user-1`."""

import re
from typing import Final

from analyzer.report.phrases import Phrases

SHORTEST_PREFIX: Final = 8
"""Fewest digits of a shortened hash that are taken for it."""

_HEX = re.compile(r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{8,}|(?:[0-9A-Fa-f]{2}:){7,}[0-9A-Fa-f]{2})(?![0-9A-Za-z])")
_LONG = 40
_DIGITS = re.compile(r"-?[0-9A-Fa-f]+")


class NumberedPseudonyms:
    """Values in the order in which they first appeared. word: that the pseudonyms begin with."""

    def __init__(self, word: str) -> None:
        self._word = word
        self._known: dict[str, str] = {}
        self._prefixes: dict[str, str] = {}
        """The beginnings of known values in hexadecimal, of 8, 12, 16 … digits."""
        self._phrases = Phrases("-")

    def __len__(self) -> int:
        return len(self._known)

    def give(self, value: str) -> str:
        """Return the pseudonym of a value, and learn it. An empty value stays."""
        if not value:
            return value
        key = value.lower()
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = f"{self._word}-{len(self._known) + 1}"
            if _DIGITS.fullmatch(key) and len(key) >= SHORTEST_PREFIX:
                for length in range(SHORTEST_PREFIX, len(key) + 1, 4):
                    self._prefixes.setdefault(key[:length], known)
                self._prefixes[key] = known
            elif len(key) > 1:
                self._phrases.add(value, known)
        return known

    def replace(self, text: str, all_long: bool) -> str:
        """Return a text with pseudonyms for known values. all_long: each hash of 160 bits or more is one, known or not."""
        if self._prefixes or all_long:
            text = _HEX.sub(lambda found: self._digits(found[0], all_long), text)
        return self._phrases.replace(text)

    def _digits(self, text: str, all_long: bool) -> str:
        key = text.lower().replace(":", "")
        known = self._prefixes.get(key)
        if known is None and all_long and len(key) >= _LONG:
            known = self.give(key)
        return text if known is None else known
