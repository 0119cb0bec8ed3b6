"""Redacts inside the usual encodings of text: percent-encoding (RFC 3986), hexadecimal, and base64 (RFC 4648).

A name can stand in a parameter of a URL as `www%2Eexample`, in a dump as `7777772e6578616d706c65`, and in a token as
`d3d3LmV4YW1wbGU`. Each run of characters that can be such an encoding is decoded and redacted. Where that changes anything, the
redacted text is encoded again and takes the place of the run.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, unquote

MASK: Final = "[redacted]"

DEPTH: Final = 3
"""Encodings inside each other that are followed, for example base64 in a parameter of a URL in a parameter of a URL."""

SHORTEST: Final = 7
"""Fewest characters of a name or address inside hexadecimal or base64: `1.1.1.1`."""

_PERCENT = re.compile(r"(?:[A-Za-z0-9._~*+-]|%[0-9A-Fa-f]{2})+")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{2}){7,}(?![0-9A-Za-z])")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{10,}={0,2}")
_ONE_CASE = re.compile(r"[a-z0-9+/_-]*|[A-Z0-9+/_-]*")
_DIGEST_LENGTHS = frozenset((32, 40, 56, 64, 96, 128))

_TO_STANDARD = str.maketrans("-_", "+/")


def redact_encoded(text: str, redact: Callable[[str], str], depth: int = DEPTH) -> str:
    """Return the text after `redact`, which is applied to the text and to whatever is encoded in it. depth: see `DEPTH`."""
    text = redact(text)
    if depth == 0 or len(text) < SHORTEST:
        return text
    if "%" in text:
        text = _PERCENT.sub(lambda run: _percent(run[0], redact, depth), text)
    text = _HEX.sub(lambda run: _hexadecimal(run[0], redact, depth), text)
    return _BASE64.sub(lambda run: _base64(run[0], redact, depth), text)


def _percent(run: str, redact: Callable[[str], str], depth: int) -> str:
    if "%" not in run:
        return run
    decoded = unquote(run, errors="replace")
    changed = redact_encoded(decoded, redact, depth - 1)
    return run if changed == decoded else quote(changed, safe="")


def _hexadecimal(run: str, redact: Callable[[str], str], depth: int) -> str:
    data = bytes.fromhex(run)
    if len(run) in _DIGEST_LENGTHS and not data.isascii():
        return run
    decoded = data.decode("latin-1")
    changed = redact_encoded(decoded, redact, depth - 1)
    return run if changed == decoded else changed.encode("utf-8").hex()


def _base64(run: str, redact: Callable[[str], str], depth: int) -> str:
    if _ONE_CASE.fullmatch(run):
        return run  # words, names of cipher suites and digests
    body = run.rstrip("=")
    for start in range(4):
        decoded = _decoded(body[start:])
        changed = redact_encoded(decoded, redact, depth - 1)
        if changed != decoded:
            return base64.b64encode(changed.encode("utf-8")).decode() if start == 0 else MASK
    return run


def _decoded(body: str) -> str:
    """Return the bytes of a base64 text, each as a character. A last character that is too much is left out."""
    whole = body[: len(body) - 1] if len(body) % 4 == 1 else body
    padded = whole.translate(_TO_STANDARD) + "=" * (-len(whole) % 4)
    return binascii.a2b_base64(padded).decode("latin-1")
