"""Reads start lines and header sections of HTTP/1 messages, and the framing of their bodies (RFC 9112 sections 2 to 7).

The grammar is read leniently, as servers and browsers do. Every leniency that matters is reported, because request smuggling
uses errors that one reader accepts and the next does not. Lines end with LF, with or without CR. A folded line belongs to the
line before it. A line that is not a field is left out.

The library h11 is not used because it refuses a connection at the first error; this reader continues.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from analyzer.application.exchange import Fields

FIELDS_MAX: Final = 4096
"""Maximum number of field lines in one header section; servers allow about 100."""

LENGTH_DIGITS_MAX: Final = 18
"""Maximum number of digits of a length, so that it fits into 64 bits with room to add."""

SHOWN: Final = 60
"""Number of characters of a bad line that a finding shows."""

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 - `token` is RFC 9110's term for a name
_NAME: Final = re.compile(_TOKEN + r"\Z")
_NAMES_REMEMBERED: Final = 1024
_REQUEST_LINE: Final = re.compile(rf"({_TOKEN}) +([^ \t\r\n](?:[^\r\n]*[^ \t\r\n])?) +HTTP/(1\.\d)[ \t]*\Z")
_STATUS_LINE: Final = re.compile(r"HTTP/(1\.\d) +(\d{3})(?:[ \t].*)?\Z", re.DOTALL)
_ABSOLUTE: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://([^/?#]*)(.*)\Z", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n|\Z)")

Problems = list[tuple[str, str]]
"""Code and detail of each problem in a header section."""

Index = dict[str, list[str]]
"""The values of the fields by lower-case name."""


def shown(text: str) -> str:
    """Return the start of a line for a finding: ASCII, in quotes, short."""
    return ascii(text[:SHOWN]) + ("…" if len(text) > SHOWN else "")


def read_text(data: bytes) -> str:
    """Decode the bytes of a header section: as UTF-8 if they are valid, else as Latin-1, the historical encoding
    (RFC 9110 section 5.5)."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def read_fields(block: str, problems: Problems) -> Fields:
    """Return the field lines of a header section or of trailers. block: without the empty line at its end. Appends to
    `problems`."""
    if not block:
        return []
    fields = _read_plain_fields(block)
    if fields is not None:
        return fields
    fields = []
    if _CONTROL.search(block) is not None:
        problems.append(("control_character", "control characters in the head"))
    for line in block.split("\n"):
        if line.startswith((" ", "\t")):
            text = line.strip(" \t\r")
            if fields:
                name, value = fields.pop()
                problems.append(("obsolete_line_folding", f"the field {shown(name)} goes on in the next line"))
                fields.append((name, f"{value} {text}" if text else value))
            elif text:
                problems.append(("malformed_field_line", f"the first line begins with a blank: {shown(text)}"))
            continue
        name, colon, value = line.partition(":")
        if not colon or _lower(name) is None:
            if not line.strip(" \t\r"):
                continue
            problems.append(("malformed_field_line", shown(line.rstrip("\r"))))
            name = name.rstrip(" \t")
            if not colon or _lower(name) is None:
                continue
        if len(fields) == FIELDS_MAX:
            problems.append(("too_many_fields", f"more than {FIELDS_MAX}; the rest of the head is left out"))
            break
        fields.append((name, value.strip(" \t\r")))
    return fields


class RequestLine(NamedTuple):
    """A request line (RFC 9112 section 3). scheme, authority: None if the target does not name them. path: None in authority
    form."""

    method: str
    scheme: str | None
    authority: str | None
    path: str | None
    version: str


def read_request_line(line: str) -> RequestLine | None:
    """Return the request line, or None if `line` is not one."""
    method, _, rest = line.partition(" ")
    target, _, version = rest.partition(" ")
    plain = version == "HTTP/1.1" and target.startswith("/") and target.isprintable()
    if plain and method != "CONNECT" and _lower(method) is not None:
        return RequestLine(method, None, None, target, "1.1")
    match = _REQUEST_LINE.match(line)
    if match is None:
        return None
    method, target, version = match.groups()
    if method == "CONNECT":
        return RequestLine(method, None, target, None, version)
    if target[0] != "/":
        absolute = _ABSOLUTE.match(target)
        if absolute is not None:
            scheme, authority, path = absolute.groups()
            return RequestLine(method, scheme.lower(), authority, path or ("*" if method == "OPTIONS" else "/"), version)
    return RequestLine(method, None, None, target, version)


def read_status_line(line: str) -> tuple[int, str] | None:
    """Return the status and the version of a status line, or None if `line` is not one."""
    match = _STATUS_LINE.match(line)
    return None if match is None else (int(match[2]), match[1])


def _read_plain_fields(block: str) -> Fields | None:
    """Return the fields of a block without any leniency, which nearly all blocks allow; else None."""
    if not block.endswith("\r"):
        return None
    lines = block.removesuffix("\r").split("\r\n")
    if len(lines) > FIELDS_MAX:
        return None
    fields: Fields = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not value.isprintable() or _lower(name) is None:
            return None
        fields.append((name, value.strip(" ")))
    return fields


@lru_cache(_NAMES_REMEMBERED)
def _lower(name: str) -> str | None:
    """Return a field name in lower case, or None if it is not a valid name. Nearly all messages use a few dozen names."""
    return name.lower() if _NAME.match(name) is not None else None


def index(fields: Fields) -> Index:
    """Return the values of the fields by name."""
    found: Index = {}
    for name, value in fields:
        found.setdefault(_lower(name) or name.lower(), []).append(value)
    return found


def values(fields: Index, name: str) -> list[str]:
    """Return the elements of all fields of that name, which are comma-separated lists (RFC 9110 section 5.6.1)."""
    found = fields.get(name)
    if found is None:
        return []
    if len(found) == 1 and "," not in found[0]:  # the usual case
        element = found[0].strip(" \t")
        return [element] if element else []
    return [element for element in [part.strip(" \t") for part in ",".join(found).split(",")] if element]


def content_codings(fields: Index, status: int | None = None) -> list[str]:
    """Return the codings of the body, in the order applied; none for a part (206), because a part of a coded body cannot be
    decoded."""
    if status == 206 or "content-encoding" not in fields:
        return []
    return [name for name in [value.lower() for value in values(fields, "content-encoding")] if name != "identity"]


class Framing(NamedTuple):
    """How a body ends: after its last chunk, after `length` bytes, or (if both are unset) at the end of the connection.

    codings: transfer codings other than chunked, in the order applied.
    sure: False if the fields contradict each other, so that the end cannot be known.
    """

    chunked: bool
    length: int | None
    codings: list[str]
    sure: bool = True


UNFRAMED: Final = Framing(False, None, [])
"""The framing if the fields do not announce a body."""

NO_BODY: Final = Framing(False, 0, [])


def read_framing(fields: Index, problems: Problems) -> Framing:
    """Return the framing that the fields announce (RFC 9112 section 6.3). Appends to `problems`."""
    if "transfer-encoding" not in fields:
        length, sure = _read_content_length(fields, problems)
        return UNFRAMED if length is None and sure else Framing(False, length, [], sure)
    codings = [name.lower() for name in values(fields, "transfer-encoding")]
    length, sure = _read_content_length(fields, problems)
    if codings:
        if length is not None or not sure:
            problems.append(("ambiguous_length", "both Transfer-Encoding and Content-Length; the former counts"))
        last = len(codings) - 1
        chunked = codings[last] == "chunked"
        others = [name for name in (codings[:last] if chunked else codings) if name != "identity"]
        if "chunked" in others:
            problems.append(("bad_transfer_encoding", f"chunked is not the last and only one: {shown(', '.join(codings))}"))
            others = [name for name in others if name != "chunked"]
        if not chunked and not others:
            return Framing(False, length, [], sure)
        return Framing(chunked, None, others)
    return Framing(False, length, [], sure)


def _read_content_length(fields: Index, problems: Problems) -> tuple[int | None, bool]:
    if "content-length" not in fields:
        return None, True
    found = values(fields, "content-length") or [""]
    if len(found) > 1:
        found = list(dict.fromkeys(found))
    if len(found) > 1:
        problems.append(("ambiguous_length", f"Content-Length is {shown(', '.join(found))}; the first counts"))
    text = found[0]
    if not (text.isascii() and text.isdigit() and len(text) <= LENGTH_DIGITS_MAX):
        problems.append(("bad_content_length", shown(text)))
        return None, False
    return int(text), True


def check_no_framing(status: int, fields: Index, problems: Problems) -> None:
    """Report fields for the length of a body in a response that has none (RFC 9110 section 8.6, RFC 9112 section 6.1).

    status: 1xx, 204, or 2xx to CONNECT. Receivers that believe the fields take the next message for a body.
    """
    for name in ("transfer-encoding", "content-length"):
        if name in fields:
            problems.append(("forbidden_framing", f"{name} in a response {status}, which has no body"))


def check_old_framing(fields: Index, problems: Problems) -> None:
    """Report Transfer-Encoding in a message of HTTP/1.0, which does not have it (RFC 9112 section 6.1)."""
    if "transfer-encoding" in fields:
        problems.append(("forbidden_framing", "transfer-encoding in a message of HTTP/1.0, which does not know it"))
