"""Reads hosts as a user names them: by an address, or by a server name (RFC 1123 section 2.1, RFC 6066 section 3)."""

import re
from ipaddress import ip_address

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_LONGEST_NAME = 253


def canonical_name(name: str) -> str:
    """Return a server name as it is compared: in lower case, without the dot of the root."""
    return name.lower().removesuffix(".")


def read_host(text: str) -> tuple[str | None, str | None]:
    """Return an address, or else a server name, as `part.Part` has it. Raises ValueError for what is neither."""
    bare = text[1:-1] if text[:1] == "[" and text[-1:] == "]" else text
    try:
        address = ip_address(bare)
    except ValueError:
        pass
    else:
        if "%" not in bare:
            return str(address), None
    try:
        name = canonical_name(text if text.isascii() else text.encode("idna").decode("ascii"))
    except UnicodeError:
        name = ""
    labels = name.split(".")
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdigit():
        raise ValueError(f"{text!r} is no address and no server name")
    return None, name
