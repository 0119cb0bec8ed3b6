"""Checks whether a certificate is for a name: RFC 9525 (host names) and RFC 5280, section 4.2.1.6.

The client has a reference: the name that it wants. The certificate presents names, only in subjectAltName. An address is
compared with addresses, byte by byte. A host name is compared with DNS names, label by label, in ASCII, without regard to case.
`*` matches exactly one label; it must be the whole leftmost label.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address

DNS_NAME = 0x82
IP_ADDRESS = 0x87

NAME_LENGTH = 512
"""Longest name that is read, in characters. A host name has at most 253 bytes; in Unicode it may be longer."""

NAMES_SHOWN = 5
"""Maximum number of names of a certificate that a sentence lists."""

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.ASCII)
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


def reference(name: str) -> tuple[int, bytes] | None:
    """Return the kind and the bytes of a name as in a certificate; None if it is neither a host name nor an address."""
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
    # A host name has no underscore, but clients do use such names.
    if not all(_LABEL.fullmatch(label.replace("_", "a")) for label in labels) or _NUMERIC.fullmatch(labels[-1]):
        return None
    return DNS_NAME, ascii_form


def matches(name: str, presented: Sequence[tuple[int, bytes]]) -> bool:
    """Return whether one of the alternative names (tag and bytes of each) matches the name."""
    wanted = reference(name)
    if wanted is None:
        return False
    kind, octets = wanted
    if kind == IP_ADDRESS:
        return wanted in presented
    return any(tag == DNS_NAME and _matches(octets, value) for tag, value in presented)


def checkable(presented: Sequence[tuple[int, bytes]] | None) -> bool:
    """Return whether the alternative names contain a name that a host can have."""
    return any(tag in (DNS_NAME, IP_ADDRESS) for tag, _ in presented or ())


def name_fault(tag: int, value: bytes) -> str | None:
    """Return what is wrong with the form of an alternative name; None if nothing is. Only DNS names and mailboxes are
    checked."""
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
    # A star before a top-level domain would match every host in it.
    return b"." in parent and presented[2:] == parent
