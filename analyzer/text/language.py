"""The language in which text for people is written: English, which stands in the code, or Simplified Chinese.

A catalogue is a .po file, as gettext and Babel have it: the English sentence is the msgid, the Chinese one the msgstr, and
fields in braces are those of `str.format`. It is read as it is, so a checkout and an installed wheel need no compiled file, and
nothing is read for English. JSON, CSV and the Python API never change their language.

Three ways lead to a translation. `say` writes a sentence of this room or of `cli`. `translated_codes` are the registries.
`retold` recognizes a whole English sentence that a lower room wrote, such as an error or the detail of a finding, and writes it
again: those rooms know no language, because their sentences are values of the records.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from analyzer.codec.codes import Code, codes

ENGLISH, CHINESE = "en", "zh"
LANGUAGES = (ENGLISH, CHINESE)

_FOLDER = Path(__file__).parent / "locale"
_MAIN, _RETOLD = "analyzer", "sentences"
"""The catalogue of the sentences that `say` writes, and that of those which `retold` recognizes."""

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The first one that is not empty decides (POSIX, Base Definitions, section 8.2)."""

_SIMPLIFIED = re.compile(r"zh(_CN)?([.@].*)?", re.IGNORECASE)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
_FIELD = re.compile(r"(\{\w*\})")
_LONGEST, _DEEPEST = 1000, 3
"""The most characters of a sentence that is told again, and how deep the fields of fields are."""

_CONTEXT_END = "\x04"
"""Between a context and its msgid in the key of a catalogue, as in a .mo file."""

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
    _Spoken.results = None if language == ENGLISH else catalogue(language, _MAIN)


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
    return None if _Spoken.results is None else _Spoken.results.get(_NUMBER + _CONTEXT_END + one)


def translated_codes(name: str) -> dict[str, Code]:
    """Return a list of codes, such as `findings`, with its texts in the language of the results."""
    return codes(name, spoken())


def retold(text: str) -> str:
    """Return a finished English sentence in the language of the results; unchanged if no catalogue has its form."""
    return text if _Spoken.results is None else _retell(text, _Spoken.language)


def retold_error(text: str) -> str:
    """Return an error in the language of errors, which is also Chinese where the results are English."""
    return text if _Spoken.language == ENGLISH else _retell(text, _Spoken.language)


def _retell(text: str, language: str, depth: int = 0) -> str:
    """Find the form of a sentence. What stood in its fields may be a sentence of its own."""
    exact, forms = _forms(language)
    if text in exact or depth > _DEEPEST or len(text) > _LONGEST:
        return exact.get(text, text)
    for fixed, form, translated in forms:
        found = re.fullmatch(form, text, re.DOTALL) if all(part in text for part in fixed) else None
        if found is not None:
            return translated.format(**{name: _retell(part, language, depth + 1) for name, part in found.groupdict().items()})
    head, colon, rest = text.partition(": ")
    told_head, told_rest = _retell(head, language, depth + 1), _retell(rest, language, depth + 1)
    return text if not colon or (head, rest) == (told_head, told_rest) else f"{told_head}：{told_rest}"


@lru_cache
def _forms(language: str) -> tuple[dict[str, str], list[tuple[list[str], str, str]]]:
    """Return the sentences without fields, and the forms of the others with their fixed parts, those with most text first."""
    exact: dict[str, str] = {}
    forms: list[tuple[list[str], str, str]] = []
    for sentence, translated in catalogue(language, _RETOLD).items():
        parts = _FIELD.split(sentence)
        if len(parts) == 1:
            exact[sentence] = translated
            continue
        pattern = "".join(f"(?P<{part[1:-1]}>.+?)" if _FIELD.fullmatch(part) else re.escape(part) for part in parts)
        forms.append((parts[::2], pattern, translated))
    forms.sort(key=lambda form: -sum(map(len, form[0])))
    return exact, forms


@lru_cache
def catalogue(language: str, name: str) -> dict[str, str]:
    """Return the catalogue in `locale/<language>/LC_MESSAGES/<name>.po`: translations by context and msgid. Raises OSError.

    The key of a msgid without a context is the msgid. The forms for numbers have the context `number`, and their singular.
    """
    path = _FOLDER / language / "LC_MESSAGES" / f"{name}.po"
    entries: dict[str, str] = {}
    entry: dict[str, str] = {}
    keyword = ""
    for line in [*path.read_text("utf-8").splitlines(), ""]:
        if not line and entry:
            key = entry["msgid"] if "msgctxt" not in entry else entry["msgctxt"] + _CONTEXT_END + entry["msgid"]
            entries[key] = entry.get("msgstr") or entry.get("msgstr[0]", "")
            entry = {}
        quoted = _QUOTED.search(line)
        if line.startswith("#") or quoted is None:
            continue
        keyword = line[: quoted.start()].strip() or keyword
        entry[keyword] = entry.get(keyword, "") + re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), quoted[1])
    entries.pop("", None)
    return {key: translated for key, translated in entries.items() if translated}
