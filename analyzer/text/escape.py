"""Makes text from a capture harmless for terminals, text files and spreadsheets.

The sender of packets chooses the names, subjects and paths in them. If they are printed raw, control characters control the
terminal (ECMA-48), and bidirectional controls and invisible characters make a name look like another one (Unicode UTS #39,
UAX #9). A spreadsheet computes a cell that begins like a formula. Here such characters become escapes: `\\x1b`, `\\u202e`. A
cell that begins like a formula also gets an apostrophe. JSON needs none of this.
"""

import re
from functools import lru_cache

_INVISIBLE = (
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # fillers and joiners that are letters or marks by category
    "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors
)
_HIDDEN = re.compile(f"[{_INVISIBLE}]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

_REMEMBERED = 4096
"""The most characters whose replacement is kept: a few scripts, and all bytes. The most texts whose CSV cell is kept."""

_LONGEST_REMEMBERED = 256
"""The longest text whose CSV cell is kept."""

FORMULA = frozenset("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - the wide forms, which spreadsheets accept too in East Asian locales
"""The characters with which a cell begins that a spreadsheet computes."""


def harmless(text: str) -> str:
    """Return the text with all characters that are not printable as escapes: controls, bidirectional, zero-width, separators.

    Private and unassigned characters and halves of surrogate pairs are escaped too. The plain space is not escaped.
    """
    if text.isprintable() and (text.isascii() or not _HIDDEN.search(text)):
        return text
    return text.translate(_TABLE)


def is_harmless(text: str) -> bool:
    """Return whether `harmless` would leave the text as it is: the same question, fast for long texts in a Latin script."""
    if not text.isprintable():
        return False
    if text.isascii():
        return True
    try:
        text.encode("latin-1")  # none of these characters is hidden; this is a copy, where a search looks at each
    except UnicodeEncodeError:
        return _HIDDEN.search(text) is None
    return True


def csv_cell(value: str | int | float | bool | None) -> str:
    """Return a cell of RFC 4180: harmless, quoted where needed. Text that a spreadsheet would compute gets an apostrophe."""
    if isinstance(value, str):
        return _text_cell(value) if len(value) <= _LONGEST_REMEMBERED else _text_cell.__wrapped__(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@lru_cache(maxsize=_REMEMBERED)
def _text_cell(value: str) -> str:
    text = harmless(value)
    if value and (value[0] in FORMULA or value.lstrip()[:1] in FORMULA):
        text = "'" + text
    if '"' in text or "," in text or ";" in text or text != text.strip():
        text = '"' + text.replace('"', '""') + '"'
    return text


def csv_row(values: list[str | int | float | bool | None]) -> str:
    """Return one line of RFC 4180, with its line end."""
    return ",".join(map(csv_cell, values)) + "\r\n"


class _Table(dict[int, str]):
    """Maps characters to their replacements. Keeps those that occurred, at most `_REMEMBERED`."""

    def __missing__(self, number: int) -> str:
        character = chr(number)
        shown = character if character.isprintable() and not _HIDDEN.match(character) else _escape(character)
        if len(self) < _REMEMBERED:
            self[number] = shown
        return shown


_TABLE = _Table()


def _escape(character: str) -> str:
    short = _SHORT.get(character)
    if short is not None:
        return short
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
