"""What ties an answer about a certificate to that certificate: serial number, names and key, octet for octet.

OCSP names a certificate by hashes of its issuer's name and key and by its serial number (RFC 6960, section 4.1.1), a CRL by
the issuer's name and the serial number (RFC 5280, section 5.1), a timestamp by the hash of the issuer's key (RFC 6962, section
3.2). All of them mean the octets as sent, so these are kept as they are. Names are compared octet for octet: authorities sign
with the same encoding that they put into what they issue.
"""

from dataclasses import dataclass
from functools import lru_cache

from analyzer.codec.trouble import Malformed, Trouble
from analyzer.x509.der import BIT_STRING, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, expect, read_element

CERTIFICATE_SIZE = 1 << 20
"""Largest certificate looked into, in bytes; a handshake message carries sixteen times that, real ones take some thousand."""

REMEMBERED = 1024
"""Certificates remembered by their bytes: judging asks about the same issuers again and again."""

REMEMBERED_SIZE = 1 << 14
"""Largest certificate remembered, in bytes; with larger ones a stranger could fill the memory."""

EXTENSIONS = 256
"""Extensions looked at; real certificates have some ten."""

BOOLEAN = 0x01

_VERSION = 0xA0
_EXTENSIONS = 0xA3
_BEHIND_KEY = 8


@dataclass(frozen=True, slots=True)
class Identity:
    """The octets of a certificate that others refer to.

    serial: the number. issuer, subject: the names, DER. public_key: the SubjectPublicKeyInfo, DER; key: the octets of its BIT
    STRING. extensions: object identifier (its octets) to value; of two with the same identifier the first.
    """

    serial: int
    issuer: bytes
    subject: bytes
    public_key: bytes
    key: bytes
    extensions: dict[bytes, bytes]


def identity(certificate: bytes) -> Identity | None:
    """Find what identifies a certificate in DER; None when it cannot be read."""
    if len(certificate) > CERTIFICATE_SIZE:
        return None
    return _remembered(certificate) if len(certificate) <= REMEMBERED_SIZE else _identity(certificate)


def _identity(der: bytes) -> Identity | None:
    try:
        return _read(der)
    except Trouble:
        return None


_remembered = lru_cache(maxsize=REMEMBERED)(_identity)


def _read(der: bytes) -> Identity:
    _, start, end, _ = expect(der, 0, len(der), SEQUENCE, "Certificate")
    _, pos, end, _ = expect(der, start, end, SEQUENCE, "tbsCertificate")
    if pos < end and der[pos] == _VERSION:
        pos = read_element(der, pos, end, "version")[3]
    _, first, last, pos = expect(der, pos, end, INTEGER, "serialNumber")
    serial = int.from_bytes(der[first:last], "big", signed=True)
    pos = expect(der, pos, end, SEQUENCE, "signature")[3]
    after = expect(der, pos, end, SEQUENCE, "issuer")[3]
    issuer = der[pos:after]
    pos = expect(der, after, end, SEQUENCE, "validity")[3]
    after = expect(der, pos, end, SEQUENCE, "subject")[3]
    subject = der[pos:after]
    _, first, last, pos = expect(der, after, end, SEQUENCE, "subjectPublicKeyInfo")
    public_key = der[after:pos]
    _, first, last, _ = expect(der, read_element(der, first, last, "algorithm")[3], last, BIT_STRING, "subjectPublicKey")
    extensions: dict[bytes, bytes] = {}
    for _ in range(_BEHIND_KEY):
        if pos >= end:
            break
        tag, inner, stop, pos = read_element(der, pos, end, "extensions")
        if tag == _EXTENSIONS:
            extensions = read_extensions(der, inner, stop)
    return Identity(serial, issuer, subject, public_key, der[first + 1 : last], extensions)


def read_extensions(der: bytes, pos: int, end: int) -> dict[bytes, bytes]:
    """Read the Extensions at `pos`: object identifier (its octets) to value. Raises `Malformed`."""
    found: dict[bytes, bytes] = {}
    _, pos, end, _ = expect(der, pos, end, SEQUENCE, "extensions")
    while pos < end:
        if len(found) == EXTENSIONS:
            raise Malformed("extensions", pos, f"over {EXTENSIONS} extensions")
        kind, _, value, pos = read_extension(der, pos, end)
        found.setdefault(kind, value)
    return found


def read_extension(der: bytes, pos: int, end: int) -> tuple[bytes, bool, bytes, int]:
    """Read an Extension: its object identifier's octets, whether critical, its value, where the next is. Raises `Malformed`."""
    _, start, stop, after = expect(der, pos, end, SEQUENCE, "extension")
    _, first, last, value = expect(der, start, stop, OBJECT_IDENTIFIER, "extnID")
    element = read_element(der, value, stop, "extnValue")
    critical = False
    if element[0] == BOOLEAN:
        critical = any(der[element[1] : element[2]])
        element = read_element(der, element[3], stop, "extnValue")
    if element[0] != OCTET_STRING:
        raise Malformed("extnValue", value, f"tag 0x{element[0]:02x}, not 0x{OCTET_STRING:02x}")
    return der[first:last], critical, der[element[1] : element[2]], after
