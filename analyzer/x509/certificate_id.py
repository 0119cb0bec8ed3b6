"""Reads the values that identify a certificate for revocation data and timestamps: serial number, names and key, as sent.

OCSP names a certificate by hashes of its issuer's name and key and by its serial number (RFC 6960, section 4.1.1). A CRL names
it by the issuer's name and the serial number (RFC 5280, section 5.1), a timestamp by the hash of the issuer's key (RFC 6962,
section 3.2). All of them use the bytes as sent, so the bytes are kept unchanged. Names are compared byte by byte: authorities
sign with the same encoding that they put into the certificates.
"""

from functools import lru_cache
from typing import NamedTuple

from analyzer.codec.errors import Malformed, ParseError
from analyzer.x509.der import BIT_STRING, INTEGER, OCTET_STRING, SEQUENCE, Element, expect, read_element
from analyzer.x509.layout import EXTENSIONS, EXTENSIONS_TAG, Layout, extension_places, extension_value

CERTIFICATE_SIZE = 1 << 20
"""Largest certificate that is read, in bytes. A handshake message can have sixteen times that; real certificates have a few
thousand."""

REMEMBERED = 1024
"""Maximum number of cached certificates: validation needs the same issuers many times."""

REMEMBERED_SIZE = 1 << 14
"""Largest cached certificate, in bytes; with larger ones an attacker could fill the memory."""


class Identity(NamedTuple):
    """The values of a certificate that others refer to.

    serial: the number. issuer, subject: the names, DER. public_key: the SubjectPublicKeyInfo, DER. key: the bytes of its BIT
    STRING. extensions: bytes of the object identifier to value; if two have the same identifier, the first.
    """

    serial: int
    issuer: bytes
    subject: bytes
    public_key: bytes
    key: bytes
    extensions: dict[bytes, bytes]


def identity(certificate: bytes) -> Identity | None:
    """Return what identifies a certificate in DER; None if it cannot be read."""
    if len(certificate) > CERTIFICATE_SIZE:
        return None
    return _remembered(certificate) if len(certificate) <= REMEMBERED_SIZE else _identity(certificate)


def _identity(der: bytes) -> Identity | None:
    layout = Layout(der)
    found = layout.found
    if not layout.sound:
        return None
    tag, start, end, _ = found["serialNumber"]
    signature, issuer, validity, subject = found["signature"], found["issuer"], found["validity"], found["subject"]
    key = found["subjectPublicKeyInfo"]
    if tag != INTEGER or not signature[0] == issuer[0] == validity[0] == subject[0] == key[0] == SEQUENCE:
        return None
    serial = int.from_bytes(der[start:end], "big", signed=True)
    extensions: dict[bytes, bytes] = {}
    try:
        algorithm = read_element(der, key[1], key[2], "algorithm")
        _, start, end, _ = expect(der, algorithm[3], key[2], BIT_STRING, "subjectPublicKey")
        for _, element in layout.behind:
            if element[0] == EXTENSIONS_TAG:
                extensions = _read_extensions(der, element)
    except ParseError:
        return None
    return Identity(
        serial,
        der[signature[3] : issuer[3]],
        der[validity[3] : subject[3]],
        der[subject[3] : key[3]],
        der[start + 1 : end],
        extensions,
    )


_remembered = lru_cache(maxsize=REMEMBERED)(_identity)


def _read_extensions(der: bytes, extensions: Element) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for at, extension, (_, first, last, pos) in extension_places(der, extensions[1], extensions[2]):
        if len(found) == EXTENSIONS:
            raise Malformed("extensions", at, f"over {EXTENSIONS} extensions")
        kind = der[first:last]
        _, (tag, first, last, _) = extension_value(der, pos, extension[2], "extnValue")
        if tag != OCTET_STRING:
            raise Malformed("extnValue", first, f"tag 0x{tag:02x}, not 0x{OCTET_STRING:02x}")
        if kind not in found:
            found[kind] = der[first:last]
    return found
