"""Reads the fields of a certificate as it was sent (RFC 5280, section 4.1). It verifies nothing and rejects nothing.

A certificate is a sequence of three elements: the signed part (tbsCertificate: version, serial number, signature algorithm,
issuer, validity, subject, key, extensions), the algorithm again, and the signature.

A passive reader sees certificates that strict parsers reject: negative serial numbers, unusual times, unknown keys, truncated
ends. Therefore the fields are located first, and then read one by one. A field that cannot be read is None and adds a parse
error to `problems`. The other fields are still read.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from threading import Lock
from typing import TypeAlias

from analyzer.codec.errors import Anomaly, Malformed, ParseError
from analyzer.x509.algorithm_names import SIGNATURES
from analyzer.x509.der import (
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    Element,
    encode_object_identifier,
    expect,
    read_element,
)
from analyzer.x509.layout import EXTENSIONS, Layout, extension_places, extension_value
from analyzer.x509.name_text import distinguished_name, dotted, general_name
from analyzer.x509.public_key import PublicKey, algorithm_identifier, curve, key_type, modulus_bits, prime_bits
from analyzer.x509.times import time_text

REMEMBERED_BYTES = 32 << 20
"""Memory for cached certificates, in bytes: about ten thousand certificates. Those of the busiest sites occur in every
session."""

REMEMBERED_SIZE = 64 << 10
"""Largest cached certificate, in bytes, so that a very large one does not remove all others from the cache."""

REMEMBERED_NAMES = 4096
"""Maximum number of cached distinguished names: a few authorities issue all certificates."""

REMEMBERED_NAME_SIZE = 512
"""Longest cached distinguished name, in bytes; most need about 100."""

ALTERNATIVE_NAMES = 4096
"""Maximum number of alternative names that are read; the largest certificates of the web have about two thousand."""

X509 = "x509"
RAW_PUBLIC_KEY = "raw_public_key"

_SUBJECT_ALT_NAME = encode_object_identifier("2.5.29.17")

Record: TypeAlias = dict[str, str | list[str] | dict[str, str | int] | None]


@dataclass(frozen=True, slots=True)
class Certificate:
    """The fields of one certificate. A field that could not be read is None.

    subject, issuer: RFC 4514 text. serial: hex of its value, two digits for each byte, with `-` if negative. not_before,
    not_after: RFC 3339 in UTC with nine digits of a second. sha256: of the whole certificate, hex. subject_alt_names: in the
    form of `general_name`, empty without the extension. signature_algorithm: its name, else its object identifier. problems:
    the parse errors. type: `x509`, or `raw_public_key`, which has only a key and its hash (RFC 7250).
    """

    subject: str | None
    issuer: str | None
    serial: str | None
    not_before: str | None
    not_after: str | None
    sha256: str
    subject_alt_names: tuple[str, ...] | None
    public_key: PublicKey | None
    signature_algorithm: str | None
    problems: tuple[ParseError, ...] = ()
    type: str = X509

    def record(self) -> Record:
        """Return the entry of `certificates` in the session record."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "serial": self.serial,
            "not_before": self.not_before,
            "not_after": self.not_after,
            "sha256": self.sha256,
            "subject_alt_names": None if self.subject_alt_names is None else list(self.subject_alt_names),
            "public_key": None if self.public_key is None else self.public_key.record(),
            "signature_algorithm": self.signature_algorithm,
            "type": self.type,
        }


def certificate(der: bytes) -> Certificate:
    """Read a certificate; never raises. The same bytes give the same object while they are cached."""
    known = _memory.certificates.get(der)
    return _memory.read(der) if known is None else known


class _Memory:
    """Cache of the certificates read last, by their bytes."""

    def __init__(self) -> None:
        self.certificates: dict[bytes, Certificate] = {}
        self.n_bytes = 0
        self.changing = Lock()

    def read(self, der: bytes) -> Certificate:
        """Read a certificate and cache it; remove the oldest if there is no room."""
        fresh = _read(der)
        if len(der) <= REMEMBERED_SIZE:
            with self.changing:
                if der not in self.certificates:
                    self.certificates[der] = fresh
                    self.n_bytes += _cost(der, fresh)
                while self.n_bytes > REMEMBERED_BYTES:
                    oldest = next(iter(self.certificates))
                    self.n_bytes -= _cost(oldest, self.certificates.pop(oldest))
        return fresh


_memory = _Memory()


def _cost(der: bytes, known: Certificate) -> int:
    """Estimate the memory in bytes: the certificate, its text, and the overhead of Python's objects."""
    return 4 * len(der) + 64 * (32 + len(known.subject_alt_names or ()) + 4 * len(known.problems))


def _read(der: bytes) -> Certificate:
    layout = Layout(der)
    serial = layout.read("serialNumber", serial_number)
    issuer = layout.read("issuer", _name)
    not_before = layout.read("validity", _not_before)
    not_after = layout.read("validity", _not_after)
    subject = layout.read("subject", _name)
    public_key = _public_key(layout)
    subject_alt_names = _subject_alt_names(layout)
    return Certificate(
        subject=subject,
        issuer=issuer,
        serial=serial,
        not_before=not_before,
        not_after=not_after,
        sha256=sha256(der).hexdigest(),
        subject_alt_names=subject_alt_names,
        public_key=public_key,
        signature_algorithm=_signature_algorithm(layout),
        problems=tuple(layout.problems),
        type=RAW_PUBLIC_KEY if layout.raw_public_key else X509,
    )


def _public_key(layout: Layout) -> PublicKey | None:
    """Read the type of the key, and its size as far as it can be read."""
    kind = layout.read("subjectPublicKeyInfo", key_type)
    if kind == "ec":
        return PublicKey(kind, curve=layout.read("subjectPublicKeyInfo", curve))
    if kind in ("rsa", "rsassa-pss", "rsaes-oaep"):
        return PublicKey(kind, bits=layout.read("subjectPublicKeyInfo", modulus_bits))
    if kind in ("dsa", "dh"):
        return PublicKey(kind, bits=layout.read("subjectPublicKeyInfo", prime_bits))
    return None if kind is None else PublicKey(kind)


def _signature_algorithm(layout: Layout) -> str | None:
    """Read the outer algorithm, which the signature is made with; the inner one must be the same."""
    outside = layout.read("signatureAlgorithm", _signature)
    inside = layout.read("signature", _signature)
    if outside and inside and outside != inside:
        layout.note(Anomaly("signature", layout.found["signature"][1], f"says {inside}, and signatureAlgorithm {outside}"))
    return outside or inside


def _subject_alt_names(layout: Layout) -> tuple[str, ...] | None:
    """Read the alternative names, without those that cannot be read; None if the extensions cannot be found or read."""
    if "extensions" not in layout.found:
        return () if layout.whole else None
    place = layout.read("extensions", _find_alternative_names)
    if place is None:
        return None
    _, pos, end, _ = place
    names: list[str] = []
    for _ in range(ALTERNATIVE_NAMES):
        if pos >= end:
            break
        try:
            element = read_element(layout.der, pos, end, "subjectAltName")
        except ParseError as error:
            layout.note(error)
            break
        pos = element[3]
        try:
            names.append(general_name(layout.der, element, "subjectAltName"))
        except ParseError as error:
            layout.note(error)
    else:
        if pos < end:
            layout.note(Anomaly("subjectAltName", pos, f"names after {ALTERNATIVE_NAMES} are not read"))
    return tuple(names)


def serial_number(der: bytes, element: Element, field: str) -> str:
    """Return the hex of an INTEGER's value, two digits for each byte, with `-` if negative. Raises `Malformed`."""
    tag, start, end, _ = element
    if tag != INTEGER or start == end:
        raise Malformed(field, start, f"tag 0x{tag:02x} of {end - start} bytes is no integer")
    if not der[start] & 0x80:
        return der[start:end].lstrip(b"\0").hex() or "00"
    magnitude = -int.from_bytes(der[start:end], "big", signed=True)
    return "-" + magnitude.to_bytes(end - start, "big").lstrip(b"\0").hex()


def _name(der: bytes, element: Element, field: str) -> str:
    tag, start, end, _ = element
    if tag != SEQUENCE:
        raise Malformed(field, start, f"tag 0x{tag:02x}, not 0x{SEQUENCE:02x}")
    if end - start <= REMEMBERED_NAME_SIZE:
        name = _name_remembered(der[start:end])
        if name is not None:
            return name
    return distinguished_name(der, start, end, field)


@lru_cache(maxsize=REMEMBERED_NAMES)
def _name_remembered(content: bytes) -> str | None:
    """Return the name, or None if it is malformed: the offset of the error depends on the certificate, which is not known
    here."""
    try:
        return distinguished_name(content, 0, len(content), "")
    except Malformed:
        return None


def _not_before(der: bytes, validity: Element, _: str) -> str:
    return time_text(der, read_element(der, validity[1], validity[2], "notBefore"), "notBefore")


def _not_after(der: bytes, validity: Element, _: str) -> str:
    first = read_element(der, validity[1], validity[2], "notBefore")
    return time_text(der, read_element(der, first[3], validity[2], "notAfter"), "notAfter")


def _signature(der: bytes, element: Element, field: str) -> str:
    octets, offset, _ = algorithm_identifier(der, element, field)
    return SIGNATURES.get(octets) or dotted(octets, offset, field)


def _find_alternative_names(der: bytes, extensions: Element, field: str) -> Element:
    """Find the sequence of alternative names; return an empty one if there is no such extension."""
    _, start, end, _ = extensions
    for _, (_, _, stop, _), (_, first, last, pos) in extension_places(der, start, end, EXTENSIONS, (field, field)):
        if der[first:last] == _SUBJECT_ALT_NAME:
            critical, element = extension_value(der, pos, stop, "subjectAltName")
            if element[0] != OCTET_STRING:  # one element of any type is accepted in place of `critical`
                pos = element[3] if critical is None else critical[3]
                element = expect(der, pos, stop, OCTET_STRING, "subjectAltName")
            return expect(der, element[1], element[2], SEQUENCE, "subjectAltName")
    return SEQUENCE, end, end, end
