"""Makes authorities for the tests: certificates, OCSP responses and revocation lists, as each test needs them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AT = datetime(2024, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SIGN_OCSP = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])


def key(label: str, kind: str = "ec") -> Any:
    """Return a private key, the same for the same label and kind."""
    return _key(label, kind)


@cache
def _key(label: str, kind: str) -> Any:
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(ec.SECP256R1())


def name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def key_usage(*allowed: str) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign",
        "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{usage: usage in allowed for usage in names})


def issue(
    subject: str,
    issuer: str,
    *extensions: x509.ExtensionType,
    serial: int = 77,
    begin: datetime = AT - 100 * DAY,
    end: datetime = AT + 100 * DAY,
    signer: Any = None,
    kind: str = "ec",
    signer_kind: str = "ec",
) -> x509.Certificate:
    """A certificate for `subject`, signed with the key of `issuer` (or with `signer`)."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key(subject, kind).public_key())
        .serial_number(serial)
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    signer = signer or key(issuer, signer_kind)
    return builder.sign(signer, None if signer_kind == "ed25519" else hashes.SHA256())


@cache
def authority(kind: str = "ec", *extensions: x509.ExtensionType) -> x509.Certificate:
    return issue("authority", "authority", *extensions, serial=1, kind=kind, signer_kind=kind)


@cache
def leaf(*extensions: x509.ExtensionType, serial: int = 77) -> x509.Certificate:
    return issue("leaf.test", "authority", *extensions, serial=serial)


def respond(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    *,
    this_update: datetime = AT - DAY,
    next_update: datetime | None = AT + DAY,
    revoked_at: datetime | None = None,
    reason: x509.ReasonFlags | None = None,
    signer: x509.Certificate | None = None,
    include: Iterable[x509.Certificate] = (),
    algorithm: hashes.HashAlgorithm | None = None,
    signature_hash: hashes.HashAlgorithm | None = None,
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
) -> bytes:
    """An OCSP response, by default of the issuer itself."""
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            certificate,
            issuer,
            algorithm or hashes.SHA1(),
            status,
            this_update,
            next_update,
            revoked_at,
            reason,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, signer or issuer)
    )
    if include:
        builder = builder.certificates(include)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    signed_by = signer or issuer
    owner = str(signed_by.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    kinds = {rsa.RSAPublicKey: "rsa", ed25519.Ed25519PublicKey: "ed25519"}
    kind = next((kind for form, kind in kinds.items() if isinstance(signed_by.public_key(), form)), "ec")
    digest = None if kind == "ed25519" else signature_hash or hashes.SHA256()
    return builder.sign(key(owner, kind), digest).public_bytes(Encoding.DER)


def revoke(
    entries: Iterable[tuple[int, datetime, x509.ReasonFlags | None]] = (),
    *extensions: tuple[x509.ExtensionType, bool],
    issuer: str = "authority",
    private_key: Any = None,
    this_update: datetime = AT - DAY,
    next_update: datetime = AT + DAY,
    entry_extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
) -> bytes:
    """A revocation list."""
    builder = (
        x509.CertificateRevocationListBuilder().issuer_name(name(issuer)).last_update(this_update).next_update(next_update)
    )
    for serial, moment, reason in entries:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment)
        if reason:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        for extension, critical in entry_extensions:
            entry = entry.add_extension(extension, critical)
        builder = builder.add_revoked_certificate(entry.build())
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(private_key or key(issuer), hashes.SHA256()).public_bytes(Encoding.DER)


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
