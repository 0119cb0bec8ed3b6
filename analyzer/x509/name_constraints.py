"""Checks the names that an authority may certify (name constraints, RFC 5280, section 4.2.1.10).

An authority's certificate can permit and exclude subtrees of names, each of one form. Every name of every certificate below it
must be in a permitted subtree, if there is one of its form, and in no excluded one. Each authority adds its own constraints, so
the permitted names can only become fewer on the way down.

A name of a form that this module cannot compare is refused if the constraints contain that form, as the RFC requires.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from analyzer.codec.errors import Malformed, ParseError
from analyzer.x509.certificate_view import NAME_CONSTRAINTS, CertificateView
from analyzer.x509.der import SEQUENCE, encode_object_identifier, expect, read_element
from analyzer.x509.distinguished import attributes, relative_names
from analyzer.x509.host_name import DNS_NAME, IP_ADDRESS, name_fault

COMPARISONS = 1 << 17
"""Maximum number of comparisons of names with subtrees for one pair of certificates, in each of which both are read. Beyond it
the names count as not permitted."""

COMPARED_LENGTH = 32
"""Bytes of a name or a subtree for which a comparison counts once more; most host names are shorter."""

SUBTREES = 8192
"""Maximum number of subtrees of one certificate that are read; real ones have up to a few hundred."""

REMEMBERED_SIZE = 8192
"""Longest extension that is cached, in bytes."""

REMEMBERED_NAME_SIZE = 512
"""Longest directory name that is cached, in bytes."""

EMAIL = 0x81
DIRECTORY_NAME = 0xA4
URI = 0x86

_EMAIL_ADDRESS = encode_object_identifier("1.2.840.113549.1.9.1")
_FORMS = {EMAIL: "mailbox", DNS_NAME: "DNS name", DIRECTORY_NAME: "directory name", URI: "URI", IP_ADDRESS: "address"}
_PERMITTED = 0xA0
_EXCLUDED = 0xA1


@dataclass(frozen=True, slots=True)
class Constraints:
    """The subtrees that an authority permits and excludes: tag and bytes of each base. fault: what is wrong with them."""

    permitted: tuple[tuple[int, bytes], ...] = ()
    excluded: tuple[tuple[int, bytes], ...] = ()
    fault: str | None = None


def constraints(authority: CertificateView) -> Constraints | None:
    """Return the name constraints in a certificate; None without the extension."""
    extension = authority.extensions.get(NAME_CONSTRAINTS)
    if extension is None:
        return None
    return _remembered(extension[1]) if len(extension[1]) <= REMEMBERED_SIZE else _read(extension[1])


def name_not_allowed(limits: Constraints, below: CertificateView) -> str | None:
    """Return which name of a certificate the constraints forbid, as a part of a sentence; None if they allow all."""
    names = _names(below)
    subtrees = limits.permitted + limits.excluded
    effort = len(names) * (len(subtrees) + _length(subtrees)) + len(subtrees) * _length(names)
    if effort > COMPARISONS:
        return f"{len(names)} names under {len(subtrees)} constraints are more than are compared"
    permitted_forms = {tag for tag, _ in limits.permitted}
    for tag, value in names:
        if any(form == tag and _may_lie_in(tag, value, base) for form, base in limits.excluded):
            return f"{_shown(tag, value)} is excluded"
        if tag in permitted_forms and not any(form == tag and _lies_in(tag, value, base) for form, base in limits.permitted):
            return f"{_shown(tag, value)} is not among the permitted"
    return None


def _read(value: bytes) -> Constraints:
    found: dict[int, list[tuple[int, bytes]]] = {_PERMITTED: [], _EXCLUDED: []}
    fault = None
    try:
        _, pos, end, _ = expect(value, 0, len(value), SEQUENCE, "nameConstraints")
        while pos < end:
            tag, at, stop, pos = read_element(value, pos, end, "nameConstraints")
            if tag not in found:
                raise Malformed("nameConstraints", at, f"tag 0x{tag:02x}")
            while at < stop:
                if len(found[tag]) == SUBTREES:
                    raise Malformed("nameConstraints", at, f"over {SUBTREES} subtrees")
                _, inner, last, at = expect(value, at, stop, SEQUENCE, "GeneralSubtree")
                form, first, after, inner = read_element(value, inner, last, "base")
                found[tag].append((form, value[first:after]))
                fault = fault or _base_fault(form, value[first:after])
                if inner < last:
                    fault = fault or "a subtree with a minimum or a maximum"
    except ParseError as error:
        fault = str(error)
    if not found[_PERMITTED] and not found[_EXCLUDED]:
        fault = fault or "neither a permitted nor an excluded subtree"
    return Constraints(tuple(found[_PERMITTED]), tuple(found[_EXCLUDED]), fault)


_remembered = lru_cache(maxsize=256)(_read)


def _base_fault(form: int, base: bytes) -> str | None:
    if form == IP_ADDRESS:
        half = len(base) // 2
        if len(base) not in (8, 32):
            return f"an address range of {len(base)} octets"
        mask = int.from_bytes(base[half:], "big")
        inverse = mask ^ (1 << 8 * half) - 1
        return None if not inverse & inverse + 1 else "an address range whose mask has gaps"
    if form == DNS_NAME and base:
        return name_fault(DNS_NAME, base) or (f'the wildcard "{base[:100].decode("ascii")}"' if base.startswith(b"*") else None)
    if form == EMAIL:
        return name_fault(EMAIL, base) if b"@" in base else name_fault(DNS_NAME, base.removeprefix(b"."))
    return None


def _names(below: CertificateView) -> list[tuple[int, bytes]]:
    """Return all names of a certificate: the alternative ones, the subject, and the subject's mailboxes if there are no
    others."""
    names = list(below.alternative_names or ())
    if below.subject_name:
        names.append((DIRECTORY_NAME, _sequence(below.subject_name)))
        if all(tag != EMAIL for tag, _ in names):
            names += [(EMAIL, value) for _, value in attributes(below.subject_name, _EMAIL_ADDRESS)]
    return names


def _length(names: Sequence[tuple[int, bytes]]) -> int:
    return sum(len(name) for _, name in names) // COMPARED_LENGTH


def _sequence(content: bytes) -> bytes:
    length = len(content)
    head = bytes((length,)) if length < 0x80 else b"\x84" + length.to_bytes(4, "big")
    return b"\x30" + head + content


def _may_lie_in(tag: int, value: bytes, base: bytes) -> bool:
    """Return whether a name, or one of the hosts that a wildcard matches, is in a subtree."""
    if tag not in _FORMS:
        return True
    if tag == DNS_NAME and value.startswith(b"*."):
        parent, limit = value[2:].lower(), base.lower()
        label, _, rest = limit.partition(b".")
        return _lies_in(tag, parent, base) or bool(label and rest == parent)
    return _lies_in(tag, value, base)


def _lies_in(tag: int, value: bytes, base: bytes) -> bool:
    if tag == DNS_NAME:
        # All hosts that a wildcard matches are in the subtrees that contain its parent.
        host, limit_host = value.lower().removeprefix(b"*."), base.lower()
        return not base or host == limit_host or host.endswith(b"." + limit_host)
    if tag == IP_ADDRESS:
        half = len(base) // 2
        return len(value) == half and all(a & m == b & m for a, b, m in zip(value, base, base[half:], strict=False))
    if tag == DIRECTORY_NAME:
        names, limit = _directory_name(value), _directory_name(base)
        return names is not None and limit is not None and names[: len(limit)] == limit
    if tag == EMAIL:
        return _mailbox_lies_in(value, base)
    if tag == URI:
        uri_host, limit_host = _uri_host(value), base.lower()
        if uri_host is None:
            return False
        return uri_host.endswith(limit_host) if limit_host.startswith(b".") else uri_host == limit_host
    return False


def _mailbox_lies_in(mailbox: bytes, limit: bytes) -> bool:
    local, _, domain = mailbox.rpartition(b"@")
    if b"@" in limit:
        limit_local, _, limit_domain = limit.rpartition(b"@")
        return local == limit_local and domain.lower() == limit_domain.lower()
    if limit.startswith(b"."):
        return domain.lower().endswith(limit.lower())
    return domain.lower() == limit.lower()


def _directory_name(value: bytes) -> tuple[bytes, ...] | None:
    return _remembered_name(value) if len(value) <= REMEMBERED_NAME_SIZE else _read_name(value)


def _read_name(value: bytes) -> tuple[bytes, ...] | None:
    try:
        _, start, end, _ = expect(value, 0, len(value), SEQUENCE, "directoryName")
    except ParseError:
        return None
    return relative_names(value[start:end])


_remembered_name = lru_cache(maxsize=1024)(_read_name)


def _uri_host(uri: bytes) -> bytes | None:
    """Return the host of a URI; None if it has none, or an address, to which no constraint can apply."""
    _, separator, rest = uri.partition(b"://")
    authority = rest.partition(b"/")[0].partition(b"?")[0].partition(b"#")[0].rpartition(b"@")[2]
    if not separator or not authority or authority.startswith(b"["):
        return None
    host = authority.partition(b":")[0].lower()
    try:
        ip_address(host.decode("ascii", "replace"))
    except ValueError:
        return host
    return None


def _shown(tag: int, value: bytes) -> str:
    form = _FORMS.get(tag, "name of another form")
    if tag == IP_ADDRESS and len(value) in (4, 16):
        return f"the address {ip_address(value)}"
    if tag in (DIRECTORY_NAME, IP_ADDRESS) or tag not in _FORMS:
        return f"its {form}"
    return f'the {form} "{value[:100].decode("utf-8", "backslashreplace")}"'
