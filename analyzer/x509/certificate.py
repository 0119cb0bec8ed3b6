"""What a certificate says (RFC 5280, section 4.1), as it was sent: nothing is verified here, and nothing is refused.

A certificate is a sequence of three: what is signed (tbsCertificate: version, serial number, signature algorithm, issuer,
validity, subject, key, extensions), the algorithm again, the signature. Passive listening meets certificates that strict
parsers refuse: negative serial numbers, odd times, unknown keys, ends cut off. So the fields are found first and then read one
by one; one that cannot be read is None and leaves a trouble in `problems`, the others stand.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from threading import Lock
from typing import TypeAlias, TypeVar

from analyzer.codec.trouble import Malformed, Odd, Trouble
from analyzer.x509.algorithms import SIGNATURES
from analyzer.x509.der import (
    GENERALIZED_TIME,
    INDEFINITE,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    UTC_TIME,
    Element,
    encode_object_identifier,
    expect,
    read_element,
    read_header,
)
from analyzer.x509.names import distinguished_name, dotted, general_name
from analyzer.x509.public_key import PublicKey, algorithm_identifier, curve, key_type, modulus_bits, prime_bits

REMEMBERED_BYTES = 32 << 20
"""Memory for certificates read before: some ten thousand, and those of the busiest sites come again in every session."""

REMEMBERED_SIZE = 64 << 10
"""Largest certificate remembered, in bytes, that one giant does not push out all others."""

REMEMBERED_NAMES = 4096
"""Distinguished names remembered: a few authorities issue all certificates."""

REMEMBERED_NAME_SIZE = 512
"""Longest distinguished name remembered, in bytes; most take about 100."""

OPTIONAL_FIELDS = 8
"""Elements looked at behind the key; there may be three: two unique identifiers and the extensions."""

EXTENSIONS = 256
"""Extensions read; real certificates have some ten."""

ALTERNATIVE_NAMES = 4096
"""Alternative names read; the largest certificates of the web have some two thousand."""

PROBLEMS = 16
"""Problems kept of one certificate; after so many, one more tells nothing."""

_SUBJECT_ALT_NAME = encode_object_identifier("2.5.29.17")
_VERSION = 0xA0
_EXTENSIONS = 0xA3
_TIME_LENGTH = 40
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:(\d\d)(?:[.,](\d+))?)?)?(Z|[+-]\d\d(?:\d\d)?)?", re.ASCII)

Record: TypeAlias = dict[str, str | list[str] | dict[str, str | int] | None]


@dataclass(frozen=True, slots=True)
class Certificate:
    """The facts of one certificate; None is what could not be read.

    subject, issuer: RFC 4514 text. serial: hex of its value, two digits an octet, `-` before a negative one. not_before,
    not_after: RFC 3339 in UTC with nine digits of a second. sha256: of the whole, hex. subject_alt_names: as `general_name` has
    them, empty without the extension. signature_algorithm: its name, else its object identifier. problems: what was wrong.
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
    problems: tuple[Trouble, ...] = ()

    def record(self) -> Record:
        """Give the entry of `certificates` in the session record."""
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
        }


def certificate(der: bytes) -> Certificate:
    """Read a certificate; never raises. The same bytes give the same object while they are remembered."""
    known = _memory.certificates.get(der)
    return _memory.read(der) if known is None else known


class _Memory:
    """The certificates read last, by their bytes."""

    def __init__(self) -> None:
        self.certificates: dict[bytes, Certificate] = {}
        self.n_bytes = 0
        self.changing = Lock()

    def read(self, der: bytes) -> Certificate:
        """Read a certificate and remember it in place of the oldest."""
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
    """Estimate the memory in bytes: the certificate, the text made of it, and what Python adds for each object."""
    return 4 * len(der) + 64 * (32 + len(known.subject_alt_names or ()) + 4 * len(known.problems))


def _read(der: bytes) -> Certificate:
    fields = _Fields(der)
    serial = fields.read("serialNumber", _serial)
    issuer = fields.read("issuer", _name)
    not_before = fields.read("validity", _not_before)
    not_after = fields.read("validity", _not_after)
    subject = fields.read("subject", _name)
    public_key = fields.public_key()
    subject_alt_names = fields.subject_alt_names()
    return Certificate(
        subject=subject,
        issuer=issuer,
        serial=serial,
        not_before=not_before,
        not_after=not_after,
        sha256=sha256(der).hexdigest(),
        subject_alt_names=subject_alt_names,
        public_key=public_key,
        signature_algorithm=fields.signature_algorithm(),
        problems=tuple(fields.problems),
    )


_Value = TypeVar("_Value")


class _Fields:
    """Where a certificate's fields are, by their RFC names, and the troubles met in reading them."""

    def __init__(self, der: bytes) -> None:
        self.der = der
        self.problems: list[Trouble] = []
        self.found: dict[str, Element] = {}
        self.cut = self.whole = False
        try:
            self._find()
        except Trouble as trouble:
            self._note(trouble)

    def read(self, field: str, read: Callable[[bytes, Element, str], _Value]) -> _Value | None:
        """Read one field; None when it is not there or cannot be read."""
        element = self.found.get(field)
        if element is None:
            return None
        try:
            return read(self.der, element, field)
        except Trouble as trouble:
            self._note(trouble)
            return None

    def public_key(self) -> PublicKey | None:
        """Read the type of the key, and what can be read of its size."""
        kind = self.read("subjectPublicKeyInfo", key_type)
        if kind == "ec":
            return PublicKey(kind, curve=self.read("subjectPublicKeyInfo", curve))
        if kind in ("rsa", "rsassa-pss", "rsaes-oaep"):
            return PublicKey(kind, bits=self.read("subjectPublicKeyInfo", modulus_bits))
        if kind in ("dsa", "dh"):
            return PublicKey(kind, bits=self.read("subjectPublicKeyInfo", prime_bits))
        return None if kind is None else PublicKey(kind)

    def signature_algorithm(self) -> str | None:
        """Read the algorithm outside, which the signature is made with; the one inside has to be the same."""
        outside = self.read("signatureAlgorithm", _signature)
        inside = self.read("signature", _signature)
        if outside and inside and outside != inside:
            self.problems.append(
                Odd("signature", self.found["signature"][1], f"says {inside}, and signatureAlgorithm {outside}")
            )
        return outside or inside

    def subject_alt_names(self) -> tuple[str, ...] | None:
        """Read the alternative names, without those that cannot be read; None is that the place where they are cannot."""
        if "extensions" not in self.found:
            return () if self.whole else None
        place = self.read("extensions", _find_alternative_names)
        if place is None:
            return None
        _, pos, end, _ = place
        names: list[str] = []
        for _ in range(ALTERNATIVE_NAMES):
            if pos >= end:
                break
            try:
                element = read_element(self.der, pos, end, "subjectAltName")
            except Trouble as trouble:
                self._note(trouble)
                break
            pos = element[3]
            try:
                names.append(general_name(self.der, element, "subjectAltName"))
            except Trouble as trouble:
                self._note(trouble)
        else:
            if pos < end:
                self._note(Odd("subjectAltName", pos, f"names after {ALTERNATIVE_NAMES} are not read"))
        return tuple(names)

    def _find(self) -> None:
        pos, end, after = self._open(0, len(self.der), "Certificate")
        if after < len(self.der):
            self._note(Odd("Certificate", after, f"{len(self.der) - after} bytes follow it"))
        self.cut = False
        pos, signed_end, after = self._open(pos, end, "tbsCertificate")
        try:
            self._find_signed(pos, signed_end)
        except Trouble as trouble:
            self._note(trouble)
        if not self.cut:
            self.found["signatureAlgorithm"] = read_element(self.der, after, end, "signatureAlgorithm")
            read_element(self.der, self.found["signatureAlgorithm"][3], end, "signatureValue")

    def _find_signed(self, pos: int, end: int) -> None:
        der, found = self.der, self.found
        if pos < end and der[pos] == _VERSION:
            pos = read_element(der, pos, end, "version")[3]
        for field in ("serialNumber", "signature", "issuer", "validity", "subject", "subjectPublicKeyInfo"):
            element = found[field] = read_element(der, pos, end, field)
            pos = element[3]
        for _ in range(OPTIONAL_FIELDS):
            if pos >= end:
                self.whole = not self.cut
                break
            element = read_element(der, pos, end, "extensions")
            if element[0] == _EXTENSIONS:
                found["extensions"] = element
            pos = element[3]
        else:
            raise Odd("extensions", pos, f"over {OPTIONAL_FIELDS} elements behind the key")

    def _open(self, pos: int, end: int, field: str) -> tuple[int, int, int]:
        """Give start and end of a sequence's value and the offset after it; one cut off ends where the bytes do."""
        tag, start, length = read_header(self.der, pos, end, field)
        if tag != SEQUENCE:
            raise Malformed(field, pos, f"tag 0x{tag:02x}, not 0x{SEQUENCE:02x}")
        if length > end - start:
            self._note(Malformed(field, pos, f"length {length}, but {end - start} bytes left"))
            self.cut = True
            return start, end, end
        if length == INDEFINITE:
            _, start, stop, after = read_element(self.der, pos, end, field)
            return start, stop, after
        return start, start + length, start + length

    def _note(self, trouble: Trouble) -> None:
        # One that was raised keeps the readers' frames alive, by its traceback and context; the copy does not.
        if len(self.problems) < PROBLEMS:
            self.problems.append(type(trouble)(trouble.field, trouble.offset, trouble.why))


def _serial(der: bytes, element: Element, field: str) -> str:
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
    """Give the name, or None when it is malformed: where that is, only who knows the certificate can tell."""
    try:
        return distinguished_name(content, 0, len(content), "")
    except Malformed:
        return None


def _not_before(der: bytes, validity: Element, _: str) -> str:
    return _time(der, read_element(der, validity[1], validity[2], "notBefore"), "notBefore")


def _not_after(der: bytes, validity: Element, _: str) -> str:
    first = read_element(der, validity[1], validity[2], "notBefore")
    return _time(der, read_element(der, first[3], validity[2], "notAfter"), "notAfter")


def _time(der: bytes, element: Element, field: str) -> str:
    """Give a time as text: UTCTime, whose years are 1950 to 2049, or GeneralizedTime.

    The zones and short forms that X.690 allows and RFC 5280 forbids are taken; a time without a zone is read as UTC.
    """
    tag, start, end, _ = element
    if tag not in (UTC_TIME, GENERALIZED_TIME) or end - start > _TIME_LENGTH:
        raise Malformed(field, start, f"tag 0x{tag:02x} of {end - start} bytes is no time")
    digits = der[start:end].decode("latin-1")
    if tag == UTC_TIME:
        digits = ("20" if digits < "5" else "19") + digits
    parts = _TIME.fullmatch(digits)
    if parts is None:
        raise Malformed(field, start, f"{der[start:end]!r} is no time")
    year, month, day, hour, minute, second, fraction, zone = parts.groups()
    text = f"{year}-{month}-{day}T{hour}:{minute or '00'}:{second or '00'}"
    try:
        moment = datetime.fromisoformat(text)
        if zone and zone != "Z":
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:] or 0))
            moment += offset if zone[0] == "-" else -offset
    except (ValueError, OverflowError) as error:
        raise Malformed(field, start, str(error)) from error
    return f"{moment.isoformat()}.{(fraction or '')[:9]:0<9}Z"


def _signature(der: bytes, element: Element, field: str) -> str:
    octets, offset, _ = algorithm_identifier(der, element, field)
    return SIGNATURES.get(octets) or dotted(octets, offset, field)


def _find_alternative_names(der: bytes, extensions: Element, field: str) -> Element:
    """Find the sequence of alternative names; an empty one when there is no such extension."""
    _, pos, end, _ = expect(der, extensions[1], extensions[2], SEQUENCE, field)
    for _ in range(EXTENSIONS):
        if pos >= end:
            return SEQUENCE, end, end, end
        _, start, stop, pos = expect(der, pos, end, SEQUENCE, field)
        _, start, after_kind, value = expect(der, start, stop, OBJECT_IDENTIFIER, field)
        if der[start:after_kind] == _SUBJECT_ALT_NAME:
            element = read_element(der, value, stop, "subjectAltName")
            if element[0] != OCTET_STRING:  # then it is `critical`
                element = expect(der, element[3], stop, OCTET_STRING, "subjectAltName")
            return expect(der, element[1], element[2], SEQUENCE, "subjectAltName")
    raise Odd(field, pos, f"extensions after {EXTENSIONS} are not read")
