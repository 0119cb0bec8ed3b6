"""What Wireshark reads the parts of a certificate with: attributes of names, parameters of keys, and extensions.

Each has an identifier, and Wireshark has a protocol for it. What stands in an extension that nobody knows is not looked at.
"""

import re
from collections.abc import Iterator

from analyzer.filters.der_parts import parts
from analyzer.x509.der import OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, object_identifier

_ATTRIBUTE = re.compile(r"2\.5\.4\.\d+")
_EXTENSION = re.compile(r"2\.5\.29\.\d+")
_PROTOCOLS = {
    "0.9.2342.19200300.100.1.1": "x509sat",
    "0.9.2342.19200300.100.1.25": "x509sat",
    "1.2.840.10040.4.1": "pkixalgs",
    "1.2.840.10045.1.1": "pkixalgs",
    "1.2.840.10045.2.1": "pkixalgs",
    "1.2.840.10046.2.1": "pkix1explicit",
    "1.2.840.113533.7.65.0": "x509ce",
    "1.2.840.113549.1.1.10": "pkixalgs",
    "1.2.840.113549.1.9.1": "x509sat",
    "1.3.6.1.4.1.11129.2.4.2": "tls",
    "1.3.6.1.4.1.11129.2.4.5": "tls",
    "1.3.6.1.4.1.311.21.1": "x509sat",
    "1.3.6.1.4.1.311.21.4": "x509sat",
    "1.3.6.1.4.1.311.21.7": "x509ce",
    "1.3.6.1.4.1.311.21.10": "x509ce",
    "1.3.6.1.4.1.311.60.2.1.1": "x509sat",
    "1.3.6.1.4.1.311.60.2.1.2": "x509sat",
    "1.3.6.1.4.1.311.60.2.1.3": "x509sat",
    "1.3.6.1.5.5.7.1.1": "pkix1implicit",
    "1.3.6.1.5.5.7.1.7": "pkix1explicit",
    "1.3.6.1.5.5.7.1.8": "pkix1explicit",
    "1.3.6.1.5.5.7.1.12": "logotypecertextn",
    "1.3.6.1.5.5.7.1.14": "pkixproxy",
    "1.3.6.1.5.5.7.2.1": "pkix1explicit",
    "1.3.6.1.5.5.7.48.1.1": "ocsp",
    "1.3.6.1.5.5.7.48.1.2": "ocsp",
    "1.3.6.1.5.5.7.48.1.3": "ocsp",
    "1.3.6.1.5.5.7.48.1.4": "ocsp",
    "1.3.6.1.5.5.7.48.1.5": "ocsp",
    "1.3.6.1.5.5.7.48.1.6": "ocsp",
    "1.3.6.1.5.5.7.48.1.7": "ocsp",
    "1.3.6.1.5.5.7.2.2": "pkix1implicit",
    "2.16.840.1.113730.1.1": "ns_cert_exts",
    "2.16.840.1.113730.1.2": "ns_cert_exts",
    "2.16.840.1.113730.1.3": "ns_cert_exts",
    "2.16.840.1.113730.1.4": "ns_cert_exts",
    "2.16.840.1.113730.1.7": "ns_cert_exts",
    "2.16.840.1.113730.1.8": "ns_cert_exts",
    "2.16.840.1.113730.1.12": "ns_cert_exts",
    "2.16.840.1.113730.1.13": "ns_cert_exts",
}
"""The protocol of what stands behind an identifier, beside attributes of X.520 and the extensions of X.509."""

_CONSTRUCTED = 0x20
_MAX_DEPTH = 16


def names_inside(content: bytes, depth: int = 0) -> Iterator[str]:
    """Yield the names of these protocols in the elements of a structure, in their order."""
    if depth > _MAX_DEPTH:
        return
    for tag, part in parts(content):
        if tag == SEQUENCE:
            yield from _in_sequence(part, depth)
        elif tag & _CONSTRUCTED:
            yield from names_inside(part, depth + 1)


def _in_sequence(content: bytes, depth: int) -> Iterator[str]:
    elements = list(parts(content))
    if len(elements) < 2 or elements[0][0] != OBJECT_IDENTIFIER:
        yield from names_inside(content, depth + 1)
        return
    try:
        name = _name_of(object_identifier(elements[0][1]))
    except ValueError:
        return
    if name:
        yield name
    tag, value = elements[-1]
    if tag == OCTET_STRING and name:
        yield from names_inside(value, depth + 1)  # the value of an extension
    elif tag == SEQUENCE and name in ("", "pkixalgs"):
        yield from names_inside(value, depth + 1)  # the qualifiers of a policy, a curve


def _name_of(identifier: str) -> str:
    if _ATTRIBUTE.fullmatch(identifier):
        return "x509sat"
    return "x509ce" if _EXTENSION.fullmatch(identifier) else _PROTOCOLS.get(identifier, "")
