"""What stands in quotes: strings, raw strings and character constants, with their escapes (wireshark-filter, "Protocol field
types")."""

import re

from analyzer.filters.filter_error import FilterError

_SIMPLE = {
    ord("'"): 0x27,
    ord('"'): 0x22,
    ord("\\"): 0x5C,
    ord("a"): 7,
    ord("b"): 8,
    ord("f"): 12,
    ord("n"): 10,
    ord("r"): 13,
    ord("t"): 9,
    ord("v"): 11,
}
_ESCAPE = re.compile(
    rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([uU].{0,8})|(.)|$)", re.DOTALL
)
_MAX_CODE_POINT = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def string_value(text: str, at: int) -> bytes:
    """Return the bytes of a string literal, which is given with its quotes and its prefix `r`, if it has one."""
    if text[0] in "rR":
        return text[2:-1].encode("utf-8", "surrogateescape")
    return _unescaped(text[1:-1], at + 1)


def character_code(text: str, at: int) -> int:
    """Return the number that a character constant, given with its quotes, stands for (0 to 255, or a code point with `\\u`)."""
    inner = text[1:-1]
    if not inner:
        raise FilterError("a character constant is empty", at, len(text))
    if inner[0] == "\\":
        found = _ESCAPE.fullmatch(inner.encode("utf-8", "surrogateescape"))
        if found is None or found.group(5):
            raise FilterError(f"{text} is no character constant: it has more than one character", at, len(text))
        return _code(found, at + 1)
    if len(inner) > 1:
        raise FilterError(f"{text} is no character constant: it has more than one character", at, len(text))
    if not 0x20 <= ord(inner) < 0x7F:
        raise FilterError(
            f"{text} is no character constant: only printable ASCII and escapes can stand in single quotes", at, len(text)
        )
    return ord(inner)


def _unescaped(inner: str, at: int) -> bytes:
    raw = inner.encode("utf-8", "surrogateescape")
    out = bytearray()
    done = 0
    for found in _ESCAPE.finditer(raw):
        out += raw[done : found.start()]
        try:
            code = _code(found, 0)
        except FilterError as error:
            error.at = at + len(raw[: found.start()].decode("utf-8", "surrogateescape"))
            raise
        out += chr(code).encode() if found.group(3) or found.group(4) else bytes((code,))
        done = found.end()
    return bytes(out + raw[done:])


def _code(found: re.Match[bytes], at: int) -> int:
    written = found.group().decode("utf-8", "surrogateescape")
    octal, hexadecimal, short, long, bad, single = found.groups()
    if octal:
        code = int(octal, 8)
        if code > 0xFF:
            raise FilterError(f"{written} is more than 255, which is the largest byte", at, len(written))
        return code
    if hexadecimal:
        return int(hexadecimal, 16)
    if short or long:
        code = int(short or long, 16)
        if code > _MAX_CODE_POINT or code in _SURROGATES:
            raise FilterError(f"{written} is no character of Unicode", at, len(written))
        return code
    if bad or not single or single[0] not in _SIMPLE:
        raise FilterError(f'{written} is no escape sequence; in a raw string, r"…", a backslash is itself', at, len(written))
    return _SIMPLE[single[0]]
