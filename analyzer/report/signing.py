"""Signs manifests: with an Ed25519 key alone (RFC 8032), or with a key and its X.509 certificate (CMS, RFC 5652).

A key alone is named by its fingerprint: SHA-256 of its SubjectPublicKeyInfo in DER. Who trusts it has to get that, or the
public key, on another way. A certificate says whose key it is, and who vouches for that.

Ed25519, RSA (PKCS #1 v1.5) and ECDSA by RFC 6979 need no random number, so the same manifest gives the same signature.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    load_ssh_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

from analyzer.report.action_log import canonical

if TYPE_CHECKING:
    from analyzer.report.cms import PrivateKey

ED25519, CMS = "ed25519", "cms"

SIGNATURES = {ED25519: "manifest.sig", CMS: "manifest.p7s"}
"""The file of a signature by its kind."""

LARGEST_KEY_FILE = 1 << 20
"""Bytes of a file with a key, at most."""

LARGEST_SIGNATURE = 4096
"""Bytes of `manifest.sig`, at most."""

MISSING = "signing with a certificate needs the extra `sign`: pip install 'capture-analyzer[sign]'"
"""What to do where pyhanko or asn1crypto is missing."""

_PEM, _SSH, _SEQUENCE = b"-----BEGIN ", b"-----BEGIN OPENSSH PRIVATE KEY-----", b"\x30"
_SMALLEST_RSA = 2048
_SIGNATURE_KEYS = ("algorithm", "key_sha256", "public_key", "signature")


class SigningError(Exception):
    """A key cannot be read, or cannot sign. The text says why, in one line without anything secret."""


class Signer(ABC):
    """A key that signs manifests.

    kind: `ed25519` or `cms`. file: the name of the file for its signature. key_sha256: fingerprint of the public key, in hex.
    certificate_sha256: of its certificate, in hex; None for a key alone, which cannot sign PDF files.
    """

    kind: str
    file: str
    key_sha256: str
    certificate_sha256: str | None = None

    @abstractmethod
    def sign(self, manifest: bytes, at: datetime | None) -> bytes:
        """Return the content of the file with the signature. at: the time to write into it, where its form has one."""

    def sign_pdf(self, content: bytes, at: datetime | None) -> bytes:
        """Return a PDF file with a signature. Raises SigningError."""
        raise SigningError("a PDF file is signed with a certificate, and this key has none")

    def named(self) -> dict[str, Any]:
        """Return what a manifest says of the signature, before there is one."""
        return {"kind": self.kind, "key_sha256": self.key_sha256, "certificate_sha256": self.certificate_sha256}


class Ed25519Signer(Signer):
    """An Ed25519 key without a certificate."""

    kind, file = ED25519, SIGNATURES[ED25519]

    def __init__(self, key: ed25519.Ed25519PrivateKey) -> None:
        self._key = key
        self.key_sha256 = fingerprint(key.public_key())

    def sign(self, manifest: bytes, at: datetime | None) -> bytes:
        """See `Signer.sign`. The form has no time. The signature itself is over the bytes of the manifest, without a frame."""
        return _signature_file(self._key.public_key(), self._key.sign(manifest))


class CertifiedSigner(Signer):
    """A key with its certificate."""

    kind, file = CMS, SIGNATURES[CMS]

    def __init__(self, key: "PrivateKey", certificate: x509.Certificate, others: Sequence[x509.Certificate]) -> None:
        """others: certificates that may complete the chain; they are put into the signature. Raises SigningError."""
        try:
            import asn1crypto  # noqa: F401 - its absence is said before the work begins, not after it
            import pyhanko  # noqa: F401
        except ImportError as error:
            raise SigningError(MISSING) from error
        self._key = key
        self._certificate = certificate
        self._others = others
        self.key_sha256 = fingerprint(key.public_key())
        self.certificate_sha256 = certificate.fingerprint(hashes.SHA256()).hex()

    def sign(self, manifest: bytes, at: datetime | None) -> bytes:
        """See `Signer.sign`."""
        from analyzer.report.cms import digest_name, make_signature

        digest = hashlib.new(digest_name(self._key), manifest).digest()
        return make_signature(digest, self._key, self._certificate, self._others, at)

    def sign_pdf(self, content: bytes, at: datetime | None) -> bytes:
        """See `Signer.sign_pdf`."""
        from analyzer.report.cms import digest_name, make_signature
        from analyzer.report.pdf_signature import PdfError, embed_signature

        def make(digest: bytes) -> bytes:
            return make_signature(digest, self._key, self._certificate, self._others, None)

        try:
            return embed_signature(content, digest_name(self._key), make, at)
        except PdfError as error:
            raise SigningError(f"the PDF file cannot be signed: {error}") from error


def read_signer(data: bytes, password: bytes | None = None) -> Signer:
    """Read a key to sign with: PEM (PKCS #8, PKCS #1, SEC 1, OpenSSH), DER or PKCS #12; with certificates in PEM or PKCS #12.

    A certificate that belongs to the key makes a `CertifiedSigner`; without one, only Ed25519 signs. password: of an encrypted
    key; None for none. Raises SigningError.
    """
    if len(data) > LARGEST_KEY_FILE:
        raise SigningError(f"{len(data):,} bytes are no file with a key")
    key, certificates = _read(data, password)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise SigningError("the key is none of Ed25519, RSA and EC")
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < _SMALLEST_RSA:
        raise SigningError(f"an RSA key of {key.key_size} bits is too short to sign with")
    mine = [one for one in certificates if _is_of(one, key)]
    if mine:
        return CertifiedSigner(key, mine[0], [one for one in certificates if one is not mine[0]])
    if isinstance(key, ed25519.Ed25519PrivateKey) and not certificates:
        return Ed25519Signer(key)
    if certificates:
        raise SigningError("no certificate in the file belongs to the key")
    raise SigningError("the certificate of the key is missing: put it into the same file; only Ed25519 signs without one")


def fingerprint(public_key: Any) -> str:
    """Return SHA-256 of the SubjectPublicKeyInfo of a key of `cryptography`, in hex."""
    return hashlib.sha256(public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def check_ed25519(manifest: bytes, signature_file: bytes) -> ed25519.Ed25519PublicKey:
    """Check `manifest.sig`, which may be hostile, and return the key that signed. Raises SigningError."""
    try:
        if len(signature_file) > LARGEST_SIGNATURE:
            raise SigningError("the signature file is too large")
        said = json.loads(signature_file)
        if not isinstance(said, dict) or tuple(sorted(said)) != _SIGNATURE_KEYS:
            raise SigningError("the signature file is not in the form of this program")
        key = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(said["public_key"]))
        signature = bytes.fromhex(said["signature"])
        if _signature_file(key, signature) != signature_file:
            raise SigningError("the signature file is not in the form of this program")
        key.verify(signature, manifest)
    except (ValueError, TypeError, RecursionError) as error:
        raise SigningError("the signature file cannot be read") from error
    except InvalidSignature as error:
        raise SigningError("the signature does not fit the manifest") from error
    return key


def signing_time(issued_at: str | None) -> datetime | None:
    """Return the time of `--issued-at` (RFC 3339) to the second, or None. Raises SigningError."""
    if issued_at is None:
        return None
    try:
        at = datetime.fromisoformat(issued_at)
    except ValueError as error:
        raise SigningError("the time of issue is no time by RFC 3339") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def _signature_file(key: ed25519.Ed25519PublicKey, signature: bytes) -> bytes:
    said = {
        "algorithm": "Ed25519",
        "key_sha256": fingerprint(key),
        "public_key": key.public_bytes_raw().hex(),
        "signature": signature.hex(),
    }
    return canonical(said) + b"\n"


def _is_of(certificate: x509.Certificate, key: Any) -> bool:
    try:
        return fingerprint(certificate.public_key()) == fingerprint(key.public_key())
    except (ValueError, UnsupportedAlgorithm):  # a key of another kind
        return False


def _read(data: bytes, password: bytes | None) -> tuple[Any, list[x509.Certificate]]:
    if _PEM not in data:
        return _read_der(data, password)
    load = load_ssh_private_key if _SSH in data else load_pem_private_key
    key = _load(lambda given: load(_key_block(data), given), password)
    try:
        return key, x509.load_pem_x509_certificates(data) if b"-----BEGIN CERTIFICATE-----" in data else []
    except (ValueError, x509.InvalidVersion) as error:
        raise SigningError("the certificate beside the key cannot be read") from error


def _key_block(data: bytes) -> bytes:
    """Return the first block with a private key."""
    for part in data.split(_PEM)[1:]:
        label = part.partition(b"-----")[0]
        body, end, _ = part.partition(b"-----END ")
        if label.endswith(b"PRIVATE KEY") and end:
            return _PEM + body + end + label + b"-----\n"
    raise SigningError("no private key is in the file")


def _read_der(data: bytes, password: bytes | None) -> tuple[Any, list[x509.Certificate]]:
    if not data.startswith(_SEQUENCE):
        raise SigningError("no private key is in the file (PEM, DER, OpenSSH or PKCS #12)")
    try:
        return load_der_private_key(data, None), []
    except TypeError:
        return _load(lambda given: load_der_private_key(data, given), password), []
    except (ValueError, UnsupportedAlgorithm):
        pass  # no key alone, so it may be PKCS #12
    try:
        key, certificate, others = load_key_and_certificates(data, password)
    except (ValueError, UnsupportedAlgorithm) as error:
        why = "it wants a password (--sign-password-file FILE)" if password is None else "the password may be wrong"
        raise SigningError(f"as PKCS #12 the file does not open: {why}") from error
    if key is None:
        raise SigningError("no private key is in the file")
    return key, [*([certificate] if certificate else []), *others]


def _load(load: Any, password: bytes | None) -> Any:
    try:
        return load(None)
    except TypeError:
        pass  # how the library says that the key is encrypted
    except (ValueError, UnsupportedAlgorithm) as error:
        if "password" not in str(error).lower():  # of OpenSSH
            raise SigningError("the private key cannot be read") from error
    if password is None:
        raise SigningError("the private key is encrypted: give its password with --sign-password-file FILE")
    try:
        return load(password)
    except UnsupportedAlgorithm as error:
        raise SigningError("the private key is encrypted in a way that is not known here: convert it to PKCS #8") from error
    except (ValueError, TypeError) as error:
        raise SigningError("the password does not open the private key") from error
