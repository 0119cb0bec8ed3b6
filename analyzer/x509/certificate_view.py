"""Gives all that validation needs from one certificate (RFC 5280, section 4), read once and cached.

Validation asks other questions than listing: which bytes are signed, with which algorithm, by which issuer, and what the
extensions allow. The tolerant reader of this package gives the answers, so a certificate that strict parsers reject can still
be in a path; `refused` says that they reject it. Values are read only when they are used: a trust store has about 150
certificates, and a chain needs one.
"""

import warnings
from calendar import timegm
from datetime import datetime
from functools import cached_property, lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from analyzer.codec.errors import Anomaly, Malformed, ParseError
from analyzer.x509.certificate import Certificate, certificate
from analyzer.x509.der import (
    BIT_STRING,
    BOOLEAN,
    GENERALIZED_TIME,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    Element,
    expect,
    object_identifier,
    read_element,
)
from analyzer.x509.distinguished import name_key
from analyzer.x509.layout import EXTENSIONS, Layout, extension_places, extension_value, is_true
from analyzer.x509.revocation_status import UNREADABLE
from analyzer.x509.signature_strength import Outcome, check_signature

REMEMBERED = 4096
"""Maximum number of cached views, a few kilobytes each. The certificates of the busiest sites occur in every session."""

REMEMBERED_SIZE = 16 << 10
"""Largest certificate whose view is cached, in bytes."""

SIZE = 1 << 18
"""Largest certificate that is read, in bytes. The largest of the web have about 100,000, and clients accept little more."""

ALTERNATIVE_NAMES = 8192
"""Maximum number of alternative names that are read; the largest certificates of the web have about two thousand."""

PURPOSES = 256
"""Maximum number of extended key usages that are read; real certificates have up to five."""

IDENTIFIER_PARTS = 16
"""Maximum number of parts of an authority key identifier that are read; there may be three."""

SUBJECT_LENGTH = 120
"""Maximum length of a subject in a sentence, in characters; a hostile name may have a million."""

BASIC_CONSTRAINTS = "2.5.29.19"
KEY_USAGE = "2.5.29.15"
EXTENDED_KEY_USAGE = "2.5.29.37"
SUBJECT_ALT_NAME = "2.5.29.17"
NAME_CONSTRAINTS = "2.5.29.30"
SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"

_DEFAULT_WRITTEN_OUT = "EncodedDefault"


class CertificateView:
    """One certificate. What cannot be read is empty or None; no method raises, for any bytes.

    found: whether all fields up to the key could be read. signed: the bytes of tbsCertificate. spki: the SubjectPublicKeyInfo.
    algorithm, inner_algorithm: the AlgorithmIdentifiers outside and inside of the signed part. subject, issuer: `name_key` of
    the names. extensions: by dotted object identifier, whether critical and the bytes inside the OCTET STRING; of those with
    the same identifier the first, and `repeated` names that identifier. faults: cache for the faults of the certificate by
    itself, by role in a path.
    """

    def __init__(self, der: bytes) -> None:
        self.der = der
        self.found = False
        self.faults: dict[object, tuple[tuple[str, str], ...]] = {}
        self.version = 1
        self.signed = self.spki = self.algorithm = self.inner_algorithm = self.signature = self.serial = b""
        self.subject_name = self.issuer_name = b""
        self._extensions: Element | None = None
        self._validity: Element | None = None
        if len(der) <= SIZE:
            self._take(Layout(der))

    def _take(self, layout: Layout) -> None:
        """Take the fields up to the first invalid one; those of tbsCertificate are taken last."""
        if layout.signed is None:
            return
        der, found = self.der, layout.found
        at, (_, _, _, after) = layout.signed
        self.signed = der[at:after]
        if "signatureAlgorithm" not in found:
            return
        end = found["signatureAlgorithm"][3]
        self.algorithm = der[after:end]
        if "signatureValue" not in found:
            return
        tag, start, end, _ = found["signatureValue"]
        if tag != BIT_STRING:
            return
        self.signature = der[start + 1 : end]
        if "version" in found:
            _, start, end, _ = found["version"]
            try:
                _, start, end, _ = expect(der, start, end, INTEGER, "version")
            except ParseError:
                return
            self.version = 1 + int.from_bytes(der[start:end][:8], "big")
        if layout.key is None:
            return
        _, start, end, at = found["serialNumber"]
        self.serial = der[start:end]
        self.inner_algorithm = der[at : found["signature"][3]]
        _, start, end, _ = found["issuer"]
        self.issuer_name = der[start:end]
        _, start, end, _ = found["subject"]
        self.subject_name = der[start:end]
        start, end = layout.key
        self.spki = der[start:end]
        self._extensions = found.get("extensions")
        self._validity = found["validity"]
        self.found = layout.sound

    @cached_property
    def facts(self) -> Certificate:
        """The fields of the certificate as they are shown."""
        return certificate(self.der)

    @cached_property
    def title(self) -> str:
        """The subject, shortened for a sentence and in quotes."""
        subject = self.facts.subject
        if subject is None:
            return "a certificate without a readable subject"
        return f'"{subject if len(subject) <= SUBJECT_LENGTH else subject[:SUBJECT_LENGTH] + "…"}"'

    @cached_property
    def subject(self) -> bytes:
        """The subject in the form for comparing names."""
        return name_key(self.subject_name)

    @cached_property
    def issuer(self) -> bytes:
        """The issuer in the form for comparing names."""
        return name_key(self.issuer_name)

    @cached_property
    def self_issued(self) -> bool:
        """Whether issuer and subject are the same name."""
        return self.found and self.issuer == self.subject

    @cached_property
    def own_signature(self) -> Outcome:
        """The check of its signature with its own key."""
        return check_signature(self.signed, self.signature, self.algorithm, self.spki)

    @cached_property
    def not_before(self) -> int | None:
        """The first second of validity, in seconds since the epoch."""
        return _seconds(self.facts.not_before)

    @cached_property
    def not_after(self) -> int | None:
        """The last second of validity, in seconds since the epoch."""
        return _seconds(self.facts.not_after)

    @cached_property
    def has_early_generalized_time(self) -> bool:
        """Whether it writes a time before 2050 as GeneralizedTime, which RFC 5280, section 4.1.2.5, forbids."""
        if self._validity is None:
            return False
        _, pos, end, _ = self._validity
        try:
            for field in ("notBefore", "notAfter"):
                tag, start, stop, pos = read_element(self.der, pos, end, field)
                if tag == GENERALIZED_TIME and self.der[start:stop][:4] < b"2050":
                    return True
        except ParseError:
            return False
        return False

    @cached_property
    def _read_extensions(self) -> tuple[dict[str, tuple[bool, bytes]], tuple[str, ...], str | None]:
        extensions: dict[str, tuple[bool, bytes]] = {}
        repeated: list[str] = []
        if self._extensions is None:
            return extensions, (), None
        der = self.der
        try:
            _, start, end, _ = self._extensions
            for _, extension, (_, first, last, pos) in extension_places(der, start, end, EXTENSIONS):
                try:
                    kind = object_identifier(der[first:last])
                except UNREADABLE as error:
                    raise Malformed("extnID", first, str(error)) from error
                critical, (tag, first, last, _) = extension_value(der, pos, extension[2], "extnValue")
                if tag != OCTET_STRING:
                    raise Malformed("extnValue", first, f"tag 0x{tag:02x} is no octet string")
                if kind in extensions:
                    repeated.append(kind)
                else:
                    extensions[kind] = critical is not None and is_true(der, critical), der[first:last]
        except Anomaly:
            return extensions, tuple(repeated), f"more than {EXTENSIONS} extensions"
        except ParseError as error:
            return extensions, tuple(repeated), str(error)
        return extensions, tuple(repeated), None

    @property
    def extensions(self) -> dict[str, tuple[bool, bytes]]:
        """The extensions by dotted object identifier: whether critical, and the value."""
        return self._read_extensions[0]

    @property
    def repeated(self) -> tuple[str, ...]:
        """The extensions that occur more than once."""
        return self._read_extensions[1]

    @property
    def extensions_unread(self) -> str | None:
        """Why the extensions could not be read to their end; None if they could."""
        return self._read_extensions[2]

    @cached_property
    def basic_constraints(self) -> tuple[bool, int | None] | None:
        """Whether it is a certification authority's, and how many intermediates may follow; None without the extension."""
        value = self._value(BASIC_CONSTRAINTS)
        if value is None:
            return None
        is_ca, length = False, None
        try:
            _, pos, end, _ = expect(value, 0, len(value), SEQUENCE, "basicConstraints")
            if pos < end and value[pos] == BOOLEAN:
                _, first, last, pos = read_element(value, pos, end, "cA")
                is_ca = any(value[first:last])
            if pos < end:
                _, first, last, _ = expect(value, pos, end, INTEGER, "pathLenConstraint")
                length = int.from_bytes(value[first : min(last, first + 8)], "big", signed=True)
        except ParseError:
            return False, None
        return is_ca, length

    @property
    def is_ca(self) -> bool:
        """Whether the basic constraints say that it may issue certificates."""
        return self.basic_constraints is not None and self.basic_constraints[0]

    @cached_property
    def key_usage(self) -> int | None:
        """The bits of the key usage, digitalSignature the lowest; None without the extension."""
        value = self._value(KEY_USAGE)
        if value is None:
            return None
        try:
            _, start, end, _ = expect(value, 0, len(value), BIT_STRING, "keyUsage")
        except ParseError:
            return 0
        octets = value[start + 1 : min(end, start + 3)]
        return sum(1 << (8 * i + bit) for i, octet in enumerate(octets) for bit in range(8) if octet & 0x80 >> bit)

    @cached_property
    def purposes(self) -> frozenset[str] | None:
        """The extended key usages by dotted object identifier; None without the extension."""
        value = self._value(EXTENDED_KEY_USAGE)
        if value is None:
            return None
        purposes = set()
        try:
            _, pos, end, _ = expect(value, 0, len(value), SEQUENCE, "extKeyUsage")
            for _ in range(PURPOSES):
                if pos >= end:
                    break
                _, start, stop, pos = expect(value, pos, end, OBJECT_IDENTIFIER, "KeyPurposeId")
                purposes.add(object_identifier(value[start:stop]))
        except (ParseError, ValueError):
            return frozenset(purposes)
        return frozenset(purposes)

    @cached_property
    def subject_key_identifier(self) -> bytes | None:
        """The identifier that the certificate gives to its key; None without the extension."""
        value = self._value(SUBJECT_KEY_IDENTIFIER)
        if value is None:
            return None
        try:
            _, start, end, _ = expect(value, 0, len(value), OCTET_STRING, "subjectKeyIdentifier")
        except ParseError:
            return None
        return value[start:end]

    @cached_property
    def authority_key_identifier(self) -> dict[int, bytes] | None:
        """The parts of the authority key identifier by tag (0 key identifier, 1 issuer, 2 serial number)."""
        value = self._value(AUTHORITY_KEY_IDENTIFIER)
        if value is None:
            return None
        parts: dict[int, bytes] = {}
        try:
            _, pos, end, _ = expect(value, 0, len(value), SEQUENCE, "authorityKeyIdentifier")
            for _ in range(IDENTIFIER_PARTS):
                if pos >= end:
                    break
                tag, start, stop, pos = read_element(value, pos, end, "authorityKeyIdentifier")
                parts[tag & 0x1F] = value[start:stop]
        except ParseError:
            return parts
        return parts

    @property
    def issuer_key_identifier(self) -> bytes | None:
        """The identifier of the key that signed it; None if the certificate does not name it."""
        return (self.authority_key_identifier or {}).get(0)

    @cached_property
    def alternative_names(self) -> tuple[tuple[int, bytes], ...] | None:
        """The subject alternative names, tag and bytes of each, as far as they can be read; None without the extension."""
        value = self._value(SUBJECT_ALT_NAME)
        if value is None:
            return None
        names: list[tuple[int, bytes]] = []
        try:
            _, pos, end, _ = expect(value, 0, len(value), SEQUENCE, "subjectAltName")
            while pos < end and len(names) < ALTERNATIVE_NAMES:
                tag, start, stop, pos = read_element(value, pos, end, "subjectAltName")
                names.append((tag, value[start:stop]))
        except ParseError:
            return tuple(names)
        return tuple(names)

    @property
    def has_encoded_default(self) -> bool:
        """Whether a strict parser rejects it because it contains a default value, usually `cA FALSE`.

        DER forbids that. Many authorities did it for years, and every client accepts it.
        """
        return self._refused is not None and _DEFAULT_WRITTEN_OUT in self._refused

    @property
    def refused(self) -> str | None:
        """Why a strict parser rejects it; None if it does not, or only for an error that every client accepts."""
        return None if self.has_encoded_default else self._refused

    @cached_property
    def _refused(self) -> str | None:
        if len(self.der) > SIZE:
            return f"it takes {len(self.der)} bytes"
        with warnings.catch_warnings():
            # It warns about serial numbers that are not positive; they are checked separately.
            warnings.simplefilter("ignore")
            try:
                strict = x509.load_der_x509_certificate(self.der)
                strict.subject, strict.issuer, strict.not_valid_before_utc, strict.not_valid_after_utc  # noqa: B018 - may raise
                strict.extensions  # noqa: B018 - may raise
            except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType, UnsupportedAlgorithm):
                return None
            except UNREADABLE as error:
                return str(error).partition("\n")[0][:200]
        return None

    def _value(self, kind: str) -> bytes | None:
        extension = self.extensions.get(kind)
        return None if extension is None else extension[1]


def certificate_view(der: bytes) -> CertificateView:
    """Return the view of a certificate; never raises. The same bytes give the same object while it is cached."""
    return _remembered(der) if len(der) <= REMEMBERED_SIZE else CertificateView(der)


_remembered = lru_cache(maxsize=REMEMBERED)(CertificateView)


def _seconds(text: str | None) -> int | None:
    """Return RFC 3339 text in UTC as whole seconds since the epoch."""
    return None if text is None else timegm(datetime.fromisoformat(text[:19]).timetuple())
