"""Who is trusted to sign: public keys and certificates that the user of `verify` brings along.

A file may have public keys (PEM or OpenSSH), certificates of signers, and certificates of authorities, in PEM or DER. A signer
is vouched for if its key or certificate is in the file, or if a chain of certificates leads from it to an authority in the file
(RFC 5280: names, signatures, basicConstraints, keyUsage, pathLenConstraint). Validity is judged at the time that a trusted
time-stamp token proves; without one it is not judged, because a time that the signer wrote proves nothing. Revocation is not
looked up: that would need a network.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key, load_ssh_public_key

from analyzer.report.signing import fingerprint

LARGEST = 1 << 22
"""Bytes of a file with trusted keys, at most."""

LONGEST_CHAIN = 8
"""Certificates of a chain, at most."""

MOST_CERTIFICATES = 500
"""Certificates of a file, at most."""

MOST_CHECKS = 200
"""Signatures of certificates that are checked for one chain, at most."""

UNREADABLE = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises for a certificate, or a part of one, that cannot be read."""

_PEM_KEY, _PEM_CERTIFICATE, _SEQUENCE = b"-----BEGIN PUBLIC KEY-----", b"-----BEGIN CERTIFICATE-----", b"\x30"


class TrustError(Exception):
    """A file with trusted keys cannot be read. The text says why, in one line."""


@dataclass(frozen=True, slots=True)
class TrustedSigners:
    """What the user trusts. keys: fingerprints of public keys, as `signing.fingerprint`. certificates: see above."""

    keys: frozenset[str]
    certificates: Sequence[x509.Certificate]

    def vouches_for_key(self, public_key: Any) -> bool:
        """Return whether this very key was given, alone or in a certificate."""
        return fingerprint(public_key) in self.keys or any(
            _fingerprint(one) == fingerprint(public_key) for one in self.certificates
        )

    def chain(
        self, certificate: x509.Certificate, others: Sequence[x509.Certificate], at: datetime | None
    ) -> Sequence[x509.Certificate]:
        """Return the chain from a certificate to one that was given; empty where there is none.

        others: certificates that may complete the chain. at: the time at which all of them have to be valid; None to leave
        validity out.
        """
        if certificate in self.certificates or _fingerprint(certificate) in self.keys:
            return [certificate] if _valid(certificate, at) else []
        return self._search(certificate, [*self.certificates, *others], at)

    def _search(
        self, certificate: x509.Certificate, known: Sequence[x509.Certificate], at: datetime | None
    ) -> Sequence[x509.Certificate]:
        """Search the shortest chain. A stranger may have chosen the certificates, so the work has a limit."""
        chains = [[certificate]] if _valid(certificate, at) else []
        seen = {certificate}
        n_checks = 0
        for chain in chains:  # grows while it is read
            last = chain[-1]
            if last in self.certificates:
                return chain
            if len(chain) >= LONGEST_CHAIN:
                continue
            for one in known:
                if one in seen or one.subject != last.issuer or not _valid(one, at):
                    continue
                n_checks += 1
                if n_checks > MOST_CHECKS:
                    return []
                if _issued(one, last, len(chain) - 1):
                    seen.add(one)
                    chains.append([*chain, one])
        return []


def read_trusted(data: bytes) -> TrustedSigners:
    """Read a file with trusted keys and certificates. Raises TrustError."""
    if len(data) > LARGEST:
        raise TrustError(f"{len(data):,} bytes are no file with a key or a certificate")
    try:
        keys, certificates = _read(data)
    except UNREADABLE as error:
        raise TrustError("no public key or certificate can be read in it (PEM, DER or OpenSSH)") from error
    if not keys and not certificates:
        raise TrustError("no public key or certificate is in it (PEM, DER or OpenSSH)")
    if len(certificates) > MOST_CERTIFICATES:
        raise TrustError(f"it has more than {MOST_CERTIFICATES} certificates")
    return TrustedSigners(frozenset(fingerprint(key) for key in keys), certificates)


def _read(data: bytes) -> tuple[list[Any], list[x509.Certificate]]:
    keys: list[Any] = []
    certificates: list[x509.Certificate] = []
    if data.startswith(_SEQUENCE):
        try:
            certificates.append(x509.load_der_x509_certificate(data))
        except ValueError:
            keys.append(load_der_public_key(data))
        return keys, certificates
    if data.startswith((b"ssh-", b"ecdsa-")):
        return [load_ssh_public_key(data)], []
    keys += [load_pem_public_key(_PEM_KEY + part) for part in data.split(_PEM_KEY)[1:]]
    if _PEM_CERTIFICATE in data:
        certificates += x509.load_pem_x509_certificates(data)
    return keys, certificates


def _fingerprint(certificate: x509.Certificate) -> str | None:
    try:
        return fingerprint(certificate.public_key())
    except UNREADABLE:  # a certificate with a key of another kind
        return None


def subject_of(certificate: x509.Certificate) -> str:
    """Return the subject of a certificate by RFC 4514. It is text of a stranger, so each form makes it harmless."""
    try:
        return certificate.subject.rfc4514_string()
    except UNREADABLE:
        return "a subject that cannot be read"


def _valid(certificate: x509.Certificate, at: datetime | None) -> bool:
    try:
        return at is None or certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
    except UNREADABLE:  # its times are none
        return False


def _issued(issuer: x509.Certificate, subject: x509.Certificate, n_between: int) -> bool:
    """Return whether a certificate may issue others, and issued this one. n_between: authorities below it in the chain."""
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        if not constraints.ca or (constraints.path_length is not None and constraints.path_length < n_between):
            return False
        usage = [one.value for one in issuer.extensions if isinstance(one.value, x509.KeyUsage)]
        if usage and not usage[0].key_cert_sign:
            return False
        subject.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, InvalidSignature, *UNREADABLE):
        return False
    return True
