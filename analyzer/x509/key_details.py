"""Reads all of a public key: its numbers or bytes, its parameters and hashes (SubjectPublicKeyInfo, RFC 5280, section 4.1.2.7).

RSA keys have a modulus and an exponent (RFC 8017); PSS may bind them to a hash (RFC 4055). EC keys are a point (RFC 5480). DSA
and DH keys are a number and its group (RFC 3279). GOST keys name a set of parameters (RFC 9215). Newer kinds of keys are byte
strings of a fixed length (RFC 8410, 9881, 9909, 9935).

Key pins use the SHA-256 of the whole SubjectPublicKeyInfo (RFC 7469). Most key identifiers are the SHA-1 of the key alone
(RFC 5280, section 4.2.1.2).
"""

from hashlib import sha1, sha256
from typing import Any

from analyzer.codec.errors import Anomaly, Malformed, ParseError
from analyzer.x509.certificate import Certificate
from analyzer.x509.der import (
    BIT_STRING,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    Element,
    expect,
)
from analyzer.x509.extension_values import elements
from analyzer.x509.layout import Layout
from analyzer.x509.name_text import dotted
from analyzer.x509.object_identifiers import names
from analyzer.x509.public_key import KEY_LENGTHS, algorithm_identifier

_FIELD = "subjectPublicKeyInfo"


def key_details(layout: Layout, read: Certificate) -> dict[str, Any] | None:
    """Return a key's type and strength as in the session record, and its components; None without a key.

    `sha256` is the hash of the whole SubjectPublicKeyInfo, `key_sha1` that of the key alone. Numbers and bytes are hex; small
    exponents are numbers. Parse errors are added to the layout's problems.
    """
    if layout.key is None:
        return None
    start, end = layout.key
    kind = None if read.public_key is None else read.public_key.type
    details: dict[str, Any] = {} if read.public_key is None else dict(read.public_key.record())
    details["sha256"] = sha256(layout.der[start:end]).hexdigest()
    details["key_sha1"] = None
    try:
        algorithm, key = _parts(layout.der, layout.found[_FIELD])
        octets = layout.der[key[1] + 1 : key[2]]
        details["key_sha1"] = sha1(octets, usedforsecurity=False).hexdigest()
        details |= _numbers(layout.der, kind, algorithm, key)
        wanted = KEY_LENGTHS.get(kind or "", len(octets))
        if wanted != len(octets):
            layout.note(Anomaly(_FIELD, key[1] + 1, f"{len(octets)} bytes, but a key of type {kind} has {wanted}"))
    except ParseError as error:
        layout.note(error)
    return details


def pss_parameters(der: bytes, pos: int, end: int, field: str) -> dict[str, Any]:
    """Return the parameters of RSASSA-PSS at `pos` (RFC 4055, section 3.1), with defaults for those that are left out."""
    value: dict[str, Any] = {"hash": "sha1", "mask": "mgf1", "mask_hash": "sha1", "salt_length": 20}
    if pos >= end:
        return value
    _, start, stop, _ = expect(der, pos, end, SEQUENCE, field)
    for tag, at, after, _ in elements(der, start, stop, field):
        if tag == 0xA0:
            value["hash"] = _algorithm(der, at, after, field, "hash")[0]
        elif tag == 0xA1:
            value["mask"], inner, last = _algorithm(der, at, after, field, "mask")
            if inner < last:
                value["mask_hash"] = _algorithm(der, inner, last, field, "hash")[0]
        elif tag == 0xA2:
            value["salt_length"] = _number(der, expect(der, at, after, INTEGER, field))
    return value


def _parts(der: bytes, element: Element) -> tuple[Element, Element]:
    """Return the algorithm and the BIT STRING, which has at least the byte that counts its unused bits."""
    algorithm = expect(der, element[1], element[2], SEQUENCE, _FIELD)
    key = expect(der, algorithm[3], element[2], BIT_STRING, _FIELD)
    if key[1] == key[2]:
        raise Malformed(_FIELD, key[1], "a bit string without a byte")
    return algorithm, key


def _numbers(der: bytes, kind: str | None, algorithm: Element, key: Element) -> dict[str, Any]:
    """Return the components of a key of this kind."""
    start, end = key[1] + 1, key[2]
    if kind in ("rsa", "rsassa-pss", "rsaes-oaep"):
        numbers = expect(der, start, end, SEQUENCE, _FIELD)
        modulus = expect(der, numbers[1], numbers[2], INTEGER, _FIELD)
        exponent = expect(der, modulus[3], numbers[2], INTEGER, _FIELD)
        value: dict[str, Any] = {"exponent": _number(der, exponent), "modulus": _hex(der, modulus)}
        if kind == "rsassa-pss":
            pos = algorithm_identifier(der, algorithm, _FIELD)[2]
            # A key without parameters is not bound to a hash (RFC 4055, section 1.2).
            value["parameters"] = pss_parameters(der, pos, algorithm[2], _FIELD) if pos < algorithm[2] else None
        return value
    if kind in ("dsa", "dh"):
        value = {"key": _hex(der, expect(der, start, end, INTEGER, _FIELD))}
        pos = algorithm_identifier(der, algorithm, _FIELD)[2]
        group = expect(der, pos, algorithm[2], SEQUENCE, _FIELD)
        found = [_hex(der, one) for one in elements(der, group[1], group[2], _FIELD) if one[0] == INTEGER]
        order = ("prime", "subgroup", "generator") if kind == "dsa" else ("prime", "generator", "subgroup")
        return value | dict(zip(order, found, strict=False))
    if kind is not None and kind.startswith("gost"):
        pos = algorithm_identifier(der, algorithm, _FIELD)[2]
        key_octets = expect(der, start, end, OCTET_STRING, _FIELD)
        return {"key": der[key_octets[1] : key_octets[2]].hex()} | _gost(der, pos, algorithm[2])
    return {"key": der[start:end].hex()}


def _gost(der: bytes, pos: int, end: int) -> dict[str, Any]:
    value: dict[str, Any] = {"parameters": None, "hash": None}
    if pos >= end:
        return value
    _, start, stop, _ = expect(der, pos, end, SEQUENCE, _FIELD)
    for place, one in zip(
        (("parameters", "gost_parameters"), ("hash", "hash")), elements(der, start, stop, _FIELD), strict=False
    ):
        octets = der[one[1] : one[2]]
        value[place[0]] = names(place[1]).get(octets) or dotted(octets, one[1], _FIELD)
    return value


def _algorithm(der: bytes, pos: int, end: int, field: str, kind: str) -> tuple[str, int, int]:
    """Return an AlgorithmIdentifier's name, and the start and end of its parameters."""
    element = expect(der, pos, end, SEQUENCE, field)
    _, start, stop, after = expect(der, element[1], element[2], OBJECT_IDENTIFIER, field)
    return names(kind).get(der[start:stop]) or dotted(der[start:stop], start, field), after, element[2]


def _number(der: bytes, element: Element) -> int | str:
    """Return an INTEGER as a number if it is small, else as hex."""
    octets = der[element[1] : element[2]].lstrip(b"\0")
    return int.from_bytes(octets, "big") if len(octets) <= 6 else octets.hex()


def _hex(der: bytes, element: Element) -> str:
    return der[element[1] : element[2]].lstrip(b"\0").hex()
