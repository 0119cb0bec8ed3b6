"""The fields of certificates in Certificate messages (RFC 5280), as Wireshark's ASN.1 modules name them: `x509af` and others.

A certificate is walked from its bytes, so one that strict parsers refuse has its fields too. What cannot be read ends the walk
of its structure, and the fields before it stay.
"""

from collections.abc import Iterator

from analyzer.filters.der_parts import Part, parts
from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.packet_values import Occurrence
from analyzer.tls.events import Event, HandshakeMessage
from analyzer.tls.messages.numbers import CERTIFICATE
from analyzer.x509.der import (
    BIT_STRING,
    BOOLEAN,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    UTC_TIME,
)

MAX_CERTIFICATES = 64
"""Certificates that are read of one message. Real chains have less than ten."""

_STRINGS = {0x0C: ("x509sat.uTF8String", "utf-8"), 0x13: ("x509sat.printableString", "ascii")}
_COUNTRY = bytes((0x55, 0x04, 0x06))
_URI = 0x86
_NAMES = {0x82: "x509ce.dNSName", _URI: "x509ce.uniformResourceIdentifier"}
_KEY_ID, _ALTERNATIVE_NAMES, _CONSTRAINTS, _PURPOSES = (bytes((0x55, 0x1D, number)) for number in (14, 17, 19, 37))
_WITH_PLACES = (bytes((0x55, 0x1D, 31)), bytes((0x2B, 6, 1, 5, 5, 7, 1, 1)))
"""cRLDistributionPoints and authorityInfoAccess, whose URIs are some levels deep."""

_VERSION, _EXTENSIONS, _CONSTRUCTED = 0xA0, 0xA3, 0x20
_DEPTH = 6


class CertificateFields:
    """The source of the fields of certificates."""

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        found: Found = {}
        for event in view.events:
            for der in certificates_of(event):
                _Certificate(found).read(der)
        return found


def certificates_of(event: Event) -> Iterator[bytes]:
    """Yield the certificates in DER of a Certificate message; nothing of other events."""
    if isinstance(event, HandshakeMessage) and event.type == CERTIFICATE and event.body is not None:
        for entry in (getattr(event.body, "certificate_list", None) or ())[:MAX_CERTIFICATES]:
            der = entry if isinstance(entry, bytes) else getattr(entry, "cert_data", None)
            if der:  # an entry that could not be read is None
                yield der


class _Certificate:
    """Adds the fields of one certificate to `found`."""

    def __init__(self, found: Found) -> None:
        self.found = found

    def read(self, der: bytes) -> None:
        """Add the fields of a certificate in DER."""
        for _, content in parts(der):
            for place, (tag, part) in enumerate(parts(content)):
                if tag == SEQUENCE and place == 0:
                    self._read_signed(part)
                elif tag == SEQUENCE:
                    self._read_algorithm(part)
                elif tag == BIT_STRING:
                    self._add("x509af.encrypted", part[1:], part[1:])

    def _add(self, name: str, value: object, raw: bytes) -> None:
        self.found.setdefault(name, []).append(Occurrence(value, raw, 1))  # type: ignore[arg-type]

    def _read_signed(self, content: bytes) -> None:
        """Read a TBSCertificate (RFC 5280 section 4.1.2)."""
        sequences = iter((self._read_algorithm, self._read_name, self._read_validity, self._read_name, self._read_key))
        for tag, part in parts(content):
            if tag == _VERSION:
                for _, number in parts(part):
                    self._add("x509af.version", int.from_bytes(number, signed=True), number)
            elif tag == INTEGER:
                self._add("x509af.serialNumber", part, part)
            elif tag == SEQUENCE:
                reader = next(sequences, None)
                if reader is not None:
                    reader(part)
            elif tag == _EXTENSIONS:
                for _, extensions in parts(part):
                    for _, extension in parts(extensions):
                        self._read_extension(extension)

    def _read_algorithm(self, content: bytes) -> None:
        for tag, part in parts(content):
            if tag == OBJECT_IDENTIFIER:
                self._add("x509af.algorithm.id", part, part)
            return

    def _read_key(self, content: bytes) -> None:
        for _, part in parts(content):
            self._read_algorithm(part)
            return

    def _read_name(self, content: bytes) -> None:
        for tag, attributes in parts(content):
            if tag == SET:
                for _, attribute in parts(attributes):
                    self._read_attribute(list(parts(attribute)))

    def _read_attribute(self, pair: list[Part]) -> None:
        if len(pair) < 2 or pair[0][0] != OBJECT_IDENTIFIER:
            return
        kind, (tag, text) = pair[0][1], pair[1]
        self._add("x509if.oid", kind, kind)
        name, encoding = _STRINGS.get(tag, ("", ""))
        if kind == _COUNTRY:
            self._add("x509sat.CountryName", text.decode("ascii", "replace"), text)
        elif name:
            self._add(name, text.decode(encoding, "replace"), text)

    def _read_validity(self, content: bytes) -> None:
        for tag, text in parts(content):
            if tag == UTC_TIME:
                self._add("x509af.utcTime", _utc_time(text), text)

    def _read_extension(self, content: bytes) -> None:
        kind = b""
        for tag, part in parts(content):
            if tag == OBJECT_IDENTIFIER:
                kind = part
                self._add("x509af.extension.id", part, part)
            elif tag == BOOLEAN:
                self._add("x509af.critical", part != b"\0", part)
            elif tag == OCTET_STRING:
                self._read_value(kind, part)

    def _read_value(self, kind: bytes, content: bytes) -> None:
        for tag, value in parts(content):
            if kind == _KEY_ID and tag == OCTET_STRING:
                self._add("x509ce.SubjectKeyIdentifier", value, value)
            if tag != SEQUENCE:
                continue
            if kind in _WITH_PLACES:
                self._read_places(value, _DEPTH)
            for inner, part in parts(value):
                if kind == _ALTERNATIVE_NAMES and inner in _NAMES:
                    self._add(_NAMES[inner], part.decode("ascii", "replace"), part)
                elif kind == _CONSTRAINTS and inner == BOOLEAN:
                    self._add("x509ce.cA", part != b"\0", part)
                elif kind == _PURPOSES and inner == OBJECT_IDENTIFIER:
                    self._add("x509ce.KeyPurposeId", part, part)

    def _read_places(self, content: bytes, depth: int) -> None:
        for tag, part in parts(content):
            if tag == _URI:
                self._add(_NAMES[_URI], part.decode("ascii", "replace"), part)
            elif tag & _CONSTRUCTED and depth:
                self._read_places(part, depth - 1)


def _utc_time(octets: bytes) -> str:
    """Return a UTCTime as Wireshark writes it: `2026-10-03 09:00:00 (UTC)`; as it is, if it has another form."""
    text = octets.decode("ascii", "replace")
    if len(text) != 13 or not text[:12].isdigit() or text[12] != "Z":
        return text
    pairs = [text[at : at + 2] for at in range(0, 12, 2)]
    century = "20" if int(pairs[0]) < 50 else "19"
    return f"{century}{'-'.join(pairs[:3])} {':'.join(pairs[3:])} (UTC)"
