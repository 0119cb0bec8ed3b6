"""Text from a capture, made harmless for terminals, text files and spreadsheets.

Whoever sends packets chooses names, subjects and paths in them. Printed raw, control characters drive the terminal (ECMA-48),
bidirectional controls and invisible characters make a name look like another one (Unicode UTS #39, UAX #9), and a cell that
begins like a formula is one to a spreadsheet. All of them stand as escapes here: `\\x1b`, `\\u202e`. JSON needs none of this.
"""

import re

_INVISIBLE = (
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # fillers and joiners that are letters or marks by category
    "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors
)
_HIDDEN = re.compile(f"[{_INVISIBLE}]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

_REMEMBERED = 4096
"""Characters that are remembered: a few scripts, and all octets."""

_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - the wide forms, which spreadsheets in East Asian locales take too


def harmless(text: str) -> str:
    """Printable characters as they are, all others as escapes: controls, bidirectional and zero-width ones, separators.

    Private and unassigned characters and halves of surrogate pairs are among those escaped, the plain space is not.
    """
    if text.isprintable() and (text.isascii() or not _HIDDEN.search(text)):
        return text
    return text.translate(_TABLE)


def csv_cell(value: str | int | float | bool | None) -> str:
    """One cell of RFC 4180: harmless, quoted where needed; text that a spreadsheet would compute begins with an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = harmless(value)
    if value and (value[0] in _FORMULA or value.lstrip()[:1] in _FORMULA):
        text = "'" + text
    if '"' in text or "," in text or ";" in text or text != text.strip():
        text = '"' + text.replace('"', '""') + '"'
    return text


def csv_row(values: list[str | int | float | bool | None]) -> str:
    """One line of RFC 4180, with its end."""
    return ",".join(map(csv_cell, values)) + "\r\n"


class _Table(dict[int, str]):
    """From characters to what stands for them; those met are remembered, up to a number of them."""

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
