"""Whether a certificate is for a name: RFC 9525 (host names) and RFC 5280, section 4.2.1.6.

The client knows the name that it wants (the reference); the certificate presents names, in subjectAltName and nowhere else. An
address is compared with addresses, octet by octet; a host name with DNS names, label by label, in ASCII, whatever the case.
`*` stands for exactly one label, the leftmost, and only whole.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address

DNS_NAME = 0x82
IP_ADDRESS = 0x87

NAME_LENGTH = 512
"""Longest name looked at, in characters; a host name has at most 253 octets, and some more as Unicode."""

NAMES_SHOWN = 5
"""Names of a certificate that a sentence lists."""

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.ASCII)
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


def reference(name: str) -> tuple[int, bytes] | None:
    """Give the kind and the octets of a name as a certificate would hold it; None when it is neither host name nor address."""
    return _reference(name) if len(name) <= NAME_LENGTH else None


@lru_cache(maxsize=4096)
def _reference(name: str) -> tuple[int, bytes] | None:
    bare = name.removeprefix("[").removesuffix("]").partition("%")[0]
    try:
        return IP_ADDRESS, ip_address(bare).packed
    except ValueError:
        pass
    host = name.removesuffix(".")
    try:
        ascii_form = host.encode("ascii") if host.isascii() else host.encode("idna")
    except UnicodeError:
        return None
    ascii_form = ascii_form.lower()
    labels = ascii_form.decode("ascii").split(".")
    # An underscore is no part of a host name, but clients do ask for such names.
    if not all(_LABEL.fullmatch(label.replace("_", "a")) for label in labels) or _NUMERIC.fullmatch(labels[-1]):
        return None
    return DNS_NAME, ascii_form


def matches(name: str, presented: Sequence[tuple[int, bytes]]) -> bool:
    """Whether one of the alternative names (tag and octets of each) is for the name."""
    wanted = reference(name)
    if wanted is None:
        return False
    kind, octets = wanted
    if kind == IP_ADDRESS:
        return wanted in presented
    return any(tag == DNS_NAME and _matches(octets, value) for tag, value in presented)


def checkable(presented: Sequence[tuple[int, bytes]] | None) -> bool:
    """Whether there is a name among the alternative names that a host could have."""
    return any(tag in (DNS_NAME, IP_ADDRESS) for tag, _ in presented or ())


def name_fault(tag: int, value: bytes) -> str | None:
    """Say what is wrong with the form of an alternative name that is a DNS name or a mailbox; None when nothing is."""
    shown = value[:100].decode("ascii", "backslashreplace")
    if tag == DNS_NAME:
        labels = shown.removeprefix("*.").lower().split(".")
        if not all(_LABEL.fullmatch(label) for label in labels) or len(value) > 253:
            return f'"{shown}", which is no host name'
        return f'"{shown}", an address, as DNS name' if _NUMERIC.fullmatch(labels[-1]) else None
    if tag == 0x81:
        local, _, domain = value.partition(b"@")
        if not local or not domain or b"@" in domain or not value.isascii():
            return f'"{shown}", which is no mailbox'
    return None


def describe(presented: Sequence[tuple[int, bytes]]) -> str:
    """List the first host names and addresses for a sentence."""
    names = [
        str(ip_address(value))
        if tag == IP_ADDRESS and len(value) in (4, 16)
        else value[:253].decode("ascii", "backslashreplace")
        for tag, value in presented
        if tag in (DNS_NAME, IP_ADDRESS)
    ]
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _matches(wanted: bytes, presented: bytes) -> bool:
    presented = presented.lower()
    if presented == wanted:
        return True
    if not presented.startswith(b"*."):
        return False
    _, _, parent = wanted.partition(b".")
    # A star in front of a top-level domain would be for every host under it.
    return b"." in parent and presented[2:] == parent
