"""Evaluates certificate revocation lists: whether one covers a certificate, and its status (RFC 5280, sections 5 and 6.3).

A list contains the serial numbers that its issuer revoked. A certificate that is not in it is good, if the list covers it: a
list may be for only a part of the certificates (issuing distribution point). Lists of others' certificates (indirect) and lists
of changes (delta) need further lists to be understood; they are reported, and do not count.

Lists may have a million entries. Therefore each is read once, and cached with the set of its serial numbers.
"""

from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from cryptography import x509

from analyzer.codec.errors import ParseError
from analyzer.x509.certificate_id import Identity
from analyzer.x509.der import BIT_STRING, INTEGER, SEQUENCE, encode_object_identifier, expect, read_element
from analyzer.x509.revocation_status import UNREADABLE, RevocationStatus, Status, validity_interval
from analyzer.x509.signature import Check, verify_once

LIST_SIZE = 64 << 20
"""Largest list that is read, in bytes; the largest ever seen on the web had about 40 million."""

REMEMBERED_BYTES = 64 << 20
"""Maximum size of the cached lists, in bytes of DER; their sets of numbers need twice as much in addition."""

REMEMBERED_LISTS = 4096
"""Maximum number of cached lists, of any size."""

INDEXED = 1 << 20
"""Maximum number of entries that are kept as a set, about 100 bytes each. A longer list is searched for each certificate, in
0.1 s."""

_KEY_USAGE = encode_object_identifier("2.5.29.15")
_BASIC_CONSTRAINTS = encode_object_identifier("2.5.29.19")
_DISTRIBUTION_POINTS = encode_object_identifier("2.5.29.31")
_CRL_SIGN = 0x02
_UNIFORM_RESOURCE_IDENTIFIER = 0x86
_DIRECTORY_NAME = 0xA4
_TRUE = b"\x01\x01\xff"
_DELTA = "it lists changes only, and the list that they change is not looked for"
_INDIRECT = "it lists certificates of other issuers too, which is not understood here"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a list covers: kinds of certificates, and those that point to it. error: why it can never count.

    points: the names of its distribution point, with each name as it is encoded in a certificate; None as the encoding of one
    that is not compared. Empty if it covers all certificates.
    """

    only_user: bool = False
    only_authorities: bool = False
    only_attributes: bool = False
    only_some_reasons: bool = False
    points: tuple[tuple[str, bytes | None], ...] = ()
    error: str | None = None


class RevocationList:
    """One list as read. Its entries are read with the first call of `entry`, which most lists never need."""

    __slots__ = ("_numbers", "algorithm", "checks", "list", "next_update", "scope", "signature", "signed", "this_update")

    def __init__(self, der: bytes) -> None:
        """Read a list. Raises one of `UNREADABLE`, or `Malformed`."""
        self.list = x509.load_der_x509_crl(der)
        self.this_update: datetime = self.list.last_update_utc
        self.next_update: datetime | None = self.list.next_update_utc
        _, start, end, _ = expect(der, 0, len(der), SEQUENCE, "CertificateList")
        after = expect(der, start, end, SEQUENCE, "tbsCertList")[3]
        self.signed = der[start:after]
        self.algorithm = der[after : expect(der, after, end, SEQUENCE, "signatureAlgorithm")[3]]
        self.signature: bytes = self.list.signature
        self.scope = _scope(self.list)
        self._numbers: frozenset[int] | None = None
        self.checks: dict[bytes, Check] = {}

    def entry(self, serial: int) -> x509.RevokedCertificate | None:
        """Return the entry of a certificate; None if there is none."""
        if self._numbers is None and len(self.list) <= INDEXED:
            self._numbers = frozenset(entry.serial_number for entry in self.list)
        if self._numbers is not None and serial not in self._numbers:
            return None
        return self.list.get_revoked_certificate_by_serial_number(serial)

    def check(self, public_key: bytes) -> Check:
        """Check its signature, once for each key."""
        return verify_once(self.checks, public_key, self.algorithm, self.signature, self.signed)


class _Memory:
    """Cache of the lists read last, by their bytes. The value is the list, or why it cannot be read."""

    def __init__(self) -> None:
        self.lists: dict[bytes, RevocationList | str] = {}
        self.n_bytes = 0
        self.changing = Lock()

    def read(self, der: bytes) -> RevocationList | str:
        """Read a list and cache it; remove the oldest if there is no room."""
        known = self.lists.get(der)
        if known is not None:
            return known
        try:
            fresh: RevocationList | str = RevocationList(der)
        except (ParseError, *UNREADABLE) as error:
            fresh = f"it cannot be read: {error}"
        with self.changing:
            if der not in self.lists:
                self.lists[der] = fresh
                self.n_bytes += len(der)
            while self.n_bytes > REMEMBERED_BYTES or len(self.lists) > REMEMBERED_LISTS:
                oldest = next(iter(self.lists))
                del self.lists[oldest]
                self.n_bytes -= len(oldest)
        return fresh


_memory = _Memory()


def issuer_of(der: bytes) -> bytes | None:
    """Return the name of a list's issuer, DER, without reading the rest; None if it cannot be found."""
    try:
        _, pos, end, _ = expect(der, 0, len(der), SEQUENCE, "CertificateList")
        _, pos, end, _ = expect(der, pos, end, SEQUENCE, "tbsCertList")
        if pos < end and der[pos] == INTEGER:
            pos = read_element(der, pos, end, "version")[3]
        pos = expect(der, pos, end, SEQUENCE, "signature")[3]
        return der[pos : expect(der, pos, end, SEQUENCE, "issuer")[3]]
    except ParseError:
        return None


def judge_crl(der: bytes, certificate: Identity, issuer: Identity) -> RevocationStatus | None:
    """Return the status of a certificate in a list; None if the list is another issuer's. One that cannot be read gives an
    error status."""
    name = issuer_of(der)
    if name is None:
        return RevocationStatus("crl", "unknown", "", error="it cannot be read")
    if name != certificate.issuer:
        return None
    if len(der) > LIST_SIZE:
        return RevocationStatus("crl", "unknown", "", error=f"it has {len(der)} bytes, and more than {LIST_SIZE} are not read")
    found = _memory.read(der)
    if isinstance(found, str):
        return RevocationStatus("crl", "unknown", "", error=found)
    error = found.scope.error or _other_kind(found.scope, certificate) or _fault(found, issuer)
    if error is not None:
        return RevocationStatus("crl", "unknown", "", error=error)
    status: Status = "unknown"
    revoked_at: datetime | None = None
    reason: str | None = None
    entry = found.entry(certificate.serial)
    if entry is None:
        gap = _not_covered(found.scope, certificate)
        status = "unknown" if gap else "good"
        error = gap
    else:
        try:
            reason, error = _read_entry(entry)
        except UNREADABLE as unreadable:
            error = f"the extensions of the certificate's entry cannot be read: {unreadable}"
        revoked_at = entry.revocation_date_utc
        # Entries of this kind belong in lists of changes; here one says that the certificate is no longer in the list.
        status = "good" if reason == "removeFromCRL" else "revoked"
    since, until = validity_interval(found.this_update, found.next_update)
    if status != "revoked":
        revoked_at = reason = None
    return RevocationStatus(
        "crl", status, "the issuer", found.this_update, found.next_update, since, until, revoked_at, reason, error
    )


def _fault(found: RevocationList, issuer: Identity) -> str | None:
    """Return why this issuer cannot have made the list; None if it can."""
    usage = issuer.extensions.get(_KEY_USAGE)
    if usage is not None and not _may_sign(usage):
        return "the key usage of its issuer's certificate does not allow signing CRLs"
    check = found.check(issuer.public_key)
    if check == "failed":
        return "its signature is not the issuer's"
    if check == "unverifiable":
        return "the issuer's key and its signature algorithm cannot be checked together"
    return None


def _may_sign(usage: bytes) -> bool:
    try:
        _, start, end, _ = expect(usage, 0, len(usage), BIT_STRING, "keyUsage")
    except ParseError:
        return False
    return end - start > 1 and bool(usage[start + 1] & _CRL_SIGN)


def _scope(crl: x509.CertificateRevocationList) -> Scope:
    """Read the extensions of a list. Raises one of `UNREADABLE`."""
    scope = Scope()
    for extension in crl.extensions:
        value = extension.value
        if isinstance(value, x509.DeltaCRLIndicator):
            return Scope(error=_DELTA)
        if isinstance(value, x509.IssuingDistributionPoint):
            if value.indirect_crl:
                return Scope(error=_INDIRECT)
            scope = Scope(
                value.only_contains_user_certs,
                value.only_contains_ca_certs,
                value.only_contains_attribute_certs,
                bool(value.only_some_reasons),
                _points(value),
            )
        elif extension.critical and isinstance(value, x509.UnrecognizedExtension):
            return Scope(error=f"it has an unknown critical extension, {extension.oid.dotted_string}")
    return scope


def _other_kind(scope: Scope, certificate: Identity) -> str | None:
    """Return why a list is not for certificates of this kind; None if it is.

    RFC 5280, section 6.3.3 (b) (2): such a list is not used, also if it has an entry with the same number.
    """
    if scope.only_attributes:
        return "it covers attribute certificates only"
    authority = _TRUE in certificate.extensions.get(_BASIC_CONSTRAINTS, b"")[:8]
    if scope.only_user and authority:
        return "it covers no certificates of authorities"
    if scope.only_authorities and not authority:
        return "it covers certificates of authorities only"
    return None


def _not_covered(scope: Scope, certificate: Identity) -> str | None:
    """Return why a certificate that is not in the list may still be revoked; None if the list covers it."""
    if scope.only_some_reasons:
        return "it does not list the certificate, and covers only some reasons of revocation"
    if scope.points:
        extension = certificate.extensions.get(_DISTRIBUTION_POINTS, b"")
        if not any(point is not None and point in extension for _, point in scope.points):
            return f"it does not list the certificate, and covers only those that point to {scope.points[0][0]}"
    return None


def _points(place: x509.IssuingDistributionPoint) -> tuple[tuple[str, bytes | None], ...]:
    """Return the names of a list's distribution point, as in `Scope`: RFC 5280, section 6.3.3 (b) (2) (i).

    A name relative to the issuer's is not compared, and neither are names of kinds that distribution points do not have.
    """
    if place.relative_name is not None:
        return ((place.relative_name.rfc4514_string(), None),)
    points: list[tuple[str, bytes | None]] = []
    for name in place.full_name or ():
        if isinstance(name, x509.UniformResourceIdentifier):
            points.append((name.value, _encoded(_UNIFORM_RESOURCE_IDENTIFIER, name.value.encode())))
        elif isinstance(name, x509.DirectoryName):
            points.append((name.value.rfc4514_string(), _encoded(_DIRECTORY_NAME, name.value.public_bytes())))
        else:
            points.append((str(name.value), None))
    return tuple(points)


def _encoded(tag: int, octets: bytes) -> bytes:
    """Return a name as it is encoded in a certificate's distribution points."""
    n_bytes = len(octets)
    if n_bytes < 0x80:
        return bytes((tag, n_bytes)) + octets
    length = n_bytes.to_bytes((n_bytes.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + octets


def _read_entry(entry: x509.RevokedCertificate) -> tuple[str | None, str | None]:
    """Return the reason of a revocation, and why the entry cannot be understood. Raises one of `UNREADABLE`."""
    reason: str | None = None
    for extension in entry.extensions:
        if isinstance(extension.value, x509.CRLReason):
            reason = extension.value.reason.value
        elif isinstance(extension.value, x509.CertificateIssuer):
            return reason, _INDIRECT
        elif extension.critical and isinstance(extension.value, x509.UnrecognizedExtension):
            return reason, f"the certificate's entry has an unknown critical extension, {extension.oid.dotted_string}"
    return reason, None
