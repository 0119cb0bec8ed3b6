"""The words of a filter: text to tokens, as Wireshark's scanner divides it.

The language decides by the word and not by the place what a word is: a keyword, a number, a field, or something without quotes
whose type the other side of a comparison gives (an address, bytes, a value string). A dot in front makes it a field, a colon a
literal; a minus sign is a part of a word (`aa-bb-cc`), unless a space is before it. A slash after a word makes it a prefix
(`10.0.0.0/8`).
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from analyzer.filters.field import Field, FieldTable
from analyzer.filters.filter_error import FilterError
from analyzer.filters.quoted_literals import character_code, string_value
from analyzer.filters.syntax_tree import Part, Parts
from analyzer.filters.value_strings import rows

MAX_NUMBER = (1 << 64) - 1
"""The largest whole number; a longer one is no number."""

TokenValue = str | int | float | bytes | Field | Parts

_WORD = r"[A-Za-z0-9_:]"
_PIECES = re.compile(
    rf"""(?P<space>[ \t\r\n]+)
    |(?P<string>[rR]?"(?:[^"\\]|\\.)*")
    |(?P<open_string>[rR]?")
    |(?P<character>'(?:[^'\\]|\\.)*')
    |(?P<open_character>')
    |(?P<number>(?:\d+\.\d+|\d+)[eE]\+\d+(?![\w.:-]))
    |(?P<word>(?:\.(?={_WORD}|-)|{_WORD})(?:{_WORD}|-|\.(?={_WORD}|-))*(?:/(?:{_WORD}|[/-]|\.(?!\.))*)?)
    |(?P<range>\[[^\]]*\])
    |(?P<open_range>\[)
    |(?P<layers>\#(?:\d+|\[[^\]]*\]))
    |(?P<open_layers>\#)
    |(?P<sign>===|!==|==|!=|>=|<=|&&|\|\||\^\^|\.\.|\$\{{(?=@?[\w.])|\$(?!\{{)|[><!~&+\-*/%@(){{}},])
    """,
    re.VERBOSE | re.DOTALL,
)
_SIGNS = {
    "(": "LPAREN",
    ")": "RPAREN",
    "{": "LBRACE",
    "}": "RBRACE",
    ",": "COMMA",
    "..": "DOTS",
    "@": "AT",
    "$": "DOLLAR",
    "${": "DOLLAR_BRACE",
    "!": "NOT",
    "~": "MATCHES",
    "&": "BITAND",
    "+": "PLUS",
    "-": "MINUS",
    "*": "TIMES",
    "/": "TIMES",
    "%": "TIMES",
    "&&": "AND",
    "||": "OR",
    "^^": "XOR",
}
_KEYWORDS = {
    "and": "AND",
    "or": "OR",
    "xor": "XOR",
    "not": "NOT",
    "in": "IN",
    "any": "QUANTIFIER",
    "all": "QUANTIFIER",
    "contains": "CONTAINS",
    "matches": "MATCHES",
    "bitand": "BITAND",
    "bitwise_and": "BITAND",
}
COMPARISONS = {
    "==": "==",
    "eq": "==",
    "any_eq": "==",
    "!=": "!=",
    "ne": "!=",
    "all_ne": "!=",
    "===": "===",
    "all_eq": "===",
    "!==": "!==",
    "any_ne": "!==",
    ">": ">",
    "gt": ">",
    ">=": ">=",
    "ge": ">=",
    "<": "<",
    "lt": "<",
    "<=": "<=",
    "le": "<=",
}
"""Every spelling of a comparison, and the one that the tree has."""
_MAX_DIGITS = 100
"""The longest number, in characters; 64 bits in binary are 66."""
_INTENDED = {"=": ("==",), "|": ("||",), "^": ("^^",)}
"""What a sign that is none may be meant to be."""
_DEPRECATED_PROTOCOLS = {"ssl": "tls"}
"""Names that protocols had in older versions of Wireshark, and what they are now."""
_OLD_PREFIXES = tuple(_DEPRECATED_PROTOCOLS)
_BYTES_AND_PROTOCOLS = {"e100", "e164", "e212", "fc", "fc00", "fd", "fefd", "ff"}
"""Protocols of Wireshark whose names are bytes in hex: there a word is the protocol, unless a colon is in front."""
_WHOLE = re.compile(r"0[xX][0-9A-Fa-f]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*")
_FRACTION = re.compile(r"\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+")
_HEX_FRACTION = re.compile(r"0[xX][0-9A-Fa-f]+(?:\.[0-9A-Fa-f]+)?(?:[pP][+-]?\d+)?")
_PART = re.compile(
    r"\s*+(?P<first>[^\s:,-][^\s:,-]*+|[+-][^\s:,-]++)?\s*+(?:(?P<sign>[:-])\s*+(?P<second>[+-]?[^\s:,-]++)?)?\s*+"
)
_INDEX = re.compile(r"[+-]?(?:0[xX][0-9A-Fa-f]+|[0-9]+)")
_MAX_INDEX = 0x7FFFFFFF


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A token: its kind in the grammar, its text, its place, and what it means."""

    kind: str
    text: str
    at: int
    value: TokenValue


def lexemes(text: str, table: FieldTable) -> Iterator[Lexeme]:
    """Yield the tokens of a filter; raise FilterError where something is none."""
    at = 0
    while at < len(text):
        found = _PIECES.match(text, at)
        if found is None:
            raise _unexpected(text, at)
        name = found.lastgroup or ""
        piece = found.group()
        if name != "space":
            yield _lexeme(name, piece, at, table)
        at = found.end()


def _lexeme(name: str, piece: str, at: int, table: FieldTable) -> Lexeme:
    if name == "word":
        return _word(piece, at, table)
    if name == "number":
        return Lexeme("NUMBER", piece, at, float(piece))
    if name == "sign":
        if piece in COMPARISONS:
            return Lexeme("COMPARE", piece, at, COMPARISONS[piece])
        return Lexeme(_SIGNS[piece], piece, at, piece)
    if name == "string":
        return Lexeme("STRING", piece, at, string_value(piece, at))
    if name == "character":
        return Lexeme("CHARACTER", piece, at, character_code(piece, at))
    if name == "range":
        return Lexeme("RANGE", piece, at, _parts(piece[1:-1], at + 1))
    if name == "layers":
        if piece[1] == "[":
            return Lexeme("LAYERS", piece, at, _parts(piece[2:-1], at + 2))
        return Lexeme("LAYERS", piece, at, (Part(_index(piece[1:], at + 1), 1),))
    raise FilterError(_UNFINISHED[name], at, len(piece))


_UNFINISHED = {
    "open_string": "the closing quote of a string is missing",
    "open_character": "the closing quote of a character constant is missing",
    "open_range": "the closing bracket of a slice is missing",
    "open_layers": "a number or a bracket must follow #",
}


def _word(piece: str, at: int, table: FieldTable) -> Lexeme:
    if "/" in piece:
        return Lexeme("WORD", piece, at, piece)
    if piece in COMPARISONS:
        return Lexeme("COMPARE", piece, at, COMPARISONS[piece])
    if piece in _KEYWORDS:
        return Lexeme(_KEYWORDS[piece], piece, at, piece)
    name = piece.removeprefix(".")
    field = field_named(name, table)
    if field is not None:
        return Lexeme("FIELD", piece, at, field)
    if name in _BYTES_AND_PROTOCOLS:
        raise FilterError(
            f"{name} is a protocol that is not decoded here; as a byte it has a colon", at, len(piece), (f":{name}",)
        )
    if piece[0] == ".":
        raise unknown_field(name, at + 1, table)
    number = number_value(piece)
    if number is not None:
        return Lexeme("NUMBER", piece, at, number)
    return Lexeme("WORD", piece, at, piece)


def field_named(name: str, table: FieldTable) -> Field | None:
    """Return the field with a name, or with the name that an older Wireshark had for it (`ssl.` for `tls.`)."""
    field = table.get(name)
    if field is not None or not name.startswith(_OLD_PREFIXES):
        return field
    old = name.partition(".")[0]
    return table.get(_DEPRECATED_PROTOCOLS[old] + name[len(old) :])


def unknown_field(name: str, at: int, table: FieldTable) -> FilterError:
    """Return the error for a name that no field has, with the nearest names."""
    family = name.partition(".")[0]
    if name == "tcp.reassembled_in":
        advice = "it is not known here in which frame a segment is put together: tcp.segment == 8 finds that frame for frame 8"
        return FilterError(advice, at, len(name))
    if any(row["name"] == family for row in rows("undecoded_protocols")) and table.get(family) is None:
        return FilterError(f"{family} is a protocol of Wireshark whose fields are not known here", at, len(name))
    return FilterError(f"{name} is neither a field nor a protocol", at, len(name), tuple(table.nearest(name)))


def number_value(text: str) -> int | float | None:
    """Return the unsigned number that the text is, in any of the notations; None where it is none, or has over 64 bits."""
    if len(text) > _MAX_DIGITS:
        return None
    if _WHOLE.fullmatch(text):
        digits = text.lower()
        octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
        value = int(digits, 8) if octal else int(digits, 0)
        return value if value <= MAX_NUMBER else None
    if _FRACTION.fullmatch(text):
        return float(text)
    if _HEX_FRACTION.fullmatch(text):
        try:
            return float.fromhex(text)
        except OverflowError:
            return math.inf
    return None


def _parts(inner: str, at: int) -> Parts:
    parts = []
    for piece in inner.split(","):
        parts.append(_part(piece, at))
        at += len(piece) + 1
    return tuple(parts)


def _part(piece: str, at: int) -> Part:
    found = _PART.fullmatch(piece)
    if found is None or not (found["first"] or found["sign"] == ":"):
        raise FilterError(
            f"[{piece}] is no slice: expected [first:length], [first-last], [index], [:length] or [first:]", at, len(piece)
        )
    first = _index(found["first"], at + found.start("first")) if found["first"] else 0
    second = _index(found["second"], at + found.start("second")) if found["second"] else None
    if found["sign"] is None:
        return Part(first, 1)
    if found["sign"] == ":":
        if second is not None and second <= 0:
            raise FilterError(f"[{piece}] is no slice: the length is not positive", at, len(piece))
        return Part(first, second)
    if second is None:
        raise FilterError(f"[{piece}] is no slice: the last index is missing", at, len(piece))
    if (first < 0) != (second < 0):
        raise FilterError(f"[{piece}] is no slice: one index counts from the start and one from the end", at, len(piece))
    if second <= first:
        raise FilterError(f"[{piece}] is no slice: it ends before it begins", at, len(piece))
    return Part(first, last=second)


def _index(text: str, at: int) -> int:
    if len(text) > _MAX_DIGITS or not _INDEX.fullmatch(text):
        raise FilterError(f"{text} is no index of a slice", at, len(text))
    digits = text.lower().lstrip("+-")
    base = 16 if "x" in digits else 8 if digits[0] == "0" else 10
    if base == 8 and not set(digits) <= set("01234567"):
        raise FilterError(f"{text} is no index of a slice", at, len(text))
    value = int(text, base)
    if abs(value) > _MAX_INDEX:
        raise FilterError(f"{text} is too large for an index", at, len(text))
    return value


def _unexpected(text: str, at: int) -> FilterError:
    character = text[at]
    if text.startswith("${", at):
        return FilterError("the name of a field is missing in a reference", at, 2)
    if character > "\x7e" or character < " ":
        return FilterError("such a character can only stand in double quotes", at, 1)
    return FilterError(f"{character} is not expected here", at, 1, _INTENDED.get(character, ()))
