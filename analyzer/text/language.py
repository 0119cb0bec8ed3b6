"""The language in which text for people is written: English, which stands in the code, or Simplified Chinese.

A catalogue is a .po file: the English sentence is the msgid, the Chinese one the msgstr, and fields in braces are those of
`str.format`. Nothing is read for English. JSON, CSV and the Python API never change their language.

Three ways lead to a translation. `say` writes a sentence of this room or of `cli`. `translated_codes` are the registries.
`retold` recognizes a whole English sentence that a lower room wrote, such as an error or the detail of a finding, and writes it
again: those rooms know no language, because their sentences are values of the records.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from analyzer.text.catalogues import CONTEXT_END, RETOLD, SAID, catalogue

if TYPE_CHECKING:
    from analyzer.codec.codes import Code
    from analyzer.text.retelling import Retelling

ENGLISH, CHINESE = "en", "zh"
LANGUAGES = (ENGLISH, CHINESE)

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The first one that is not empty decides (POSIX, Base Definitions, section 8.2)."""

_SIMPLIFIED = re.compile(r"zh(_CN)?([.@].*)?", re.IGNORECASE)
_NUMBER = "number"

_Noted = TypeVar("_Noted")

Sentences = dict[str, str]
"""Annotates a dict whose values are sentences that `say` gets later."""

Labelled = dict[str, str | None]
"""Annotates a dict whose keys are labels that `say` gets later."""


class _Spoken:
    """What is spoken now. language: of everything. results: the sentences of the results by their English ones."""

    language = ENGLISH
    results: Mapping[str, str] | None = None


def use(language: str) -> None:
    """Write everything in `en` or `zh` from now on."""
    _Spoken.language = language
    _Spoken.results = None if language == ENGLISH else catalogue(language, SAID)


def keep_results_english() -> None:
    """Write results in English from now on; only errors keep the language of `use`."""
    _Spoken.results = None


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Write in `en` or `zh` inside a `with`."""
    before = _Spoken.language, _Spoken.results
    use(language)
    try:
        yield
    finally:
        _Spoken.language, _Spoken.results = before


def spoken() -> str:
    """Return the language of the results: `en` or `zh`."""
    return ENGLISH if _Spoken.results is None else _Spoken.language


def language_of(environment: Mapping[str, str]) -> str:
    """Return the language that the variables of a locale ask for: `zh` for `zh` and `zh_CN` with any encoding, else `en`."""
    locale = next(filter(None, (environment.get(name) for name in _VARIABLES)), "")
    return CHINESE if _SIMPLIFIED.fullmatch(locale) else ENGLISH


def say(sentence: str, /, **values: object) -> str:
    """Return a sentence of the code in the language of the results, with the values in its fields (see `str.format`)."""
    results = _Spoken.results
    if results is not None:
        sentence = results.get(sentence, sentence)
    return sentence.format(**values) if values else sentence


def noted(texts: _Noted) -> _Noted:
    """Return texts unchanged. The call marks all string constants in its argument as sentences that `say` gets later."""
    return texts


def counted(one: str) -> str | None:
    """Return the form for a number of something, with the field `n`, by the English singular. None in English."""
    return None if _Spoken.results is None else _Spoken.results.get(_NUMBER + CONTEXT_END + one)


def translated_codes(name: str) -> "dict[str, Code]":
    """Return a list of codes, such as `findings`, with its texts in the language of the results."""
    from analyzer.codec.codes import codes  # many commands show none

    return codes(name, spoken())


def retold(text: str) -> str:
    """Return a finished English sentence in the language of the results; unchanged if no catalogue has its form."""
    return text if _Spoken.results is None else _retell(text, _Spoken.language)


def retold_error(text: str) -> str:
    """Return an error in the language of errors, which is also Chinese where the results are English."""
    return text if _Spoken.language == ENGLISH else _retell(text, _Spoken.language)


@lru_cache
def retelling(language: str) -> "Retelling":
    """Return the forms of the finished sentences of lower rooms, which `retold` recognizes. Raises OSError."""
    from analyzer.text.retelling import Retelling  # English needs none

    return Retelling(catalogue(language, RETOLD).items())


def _retell(text: str, language: str) -> str:
    return "".join(retelling(language).tell(text, by_colon=True))
