"""Certificates for the demonstration endpoints: a root, an intermediate, and leaves of every key type we show.

RFC 5280. Nothing here is secret: the root is made anew with every capture and its certificate is kept beside the
capture (`<name>.ca.pem`), so that a reader can judge the chain; the private keys are thrown away, except where a capture
shows decryption with a server's RSA key.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
KeyType = Literal["ec", "ed25519", "rsa"]


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key and the certificates sent with it: the leaf first, the root left out (RFC 8446, 4.4.2)."""

    key: PrivateKey
    chain: tuple[x509.Certificate, ...]

    def key_pem(self) -> bytes:
        """The private key as unencrypted PKCS #8 PEM."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def chain_pem(self) -> bytes:
        """The certificates as PEM, leaf first."""
        return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in self.chain)

    def fingerprints(self) -> list[str]:
        """SHA-256 of each certificate's DER in lower-case hex, leaf first."""
        return [certificate.fingerprint(hashes.SHA256()).hex() for certificate in self.chain]


class Authority:
    """A root and one intermediate below it, both on P-256, valid for ten years around `at`."""

    def __init__(self, at: datetime, organization: str = "Example Trust Services") -> None:
        self.at = at
        self._root_key = ec.generate_private_key(ec.SECP256R1())
        self._intermediate_key = ec.generate_private_key(ec.SECP256R1())
        root = _name(f"{organization} Root", organization)
        self._intermediate_name = _name(f"{organization} Issuing 1", organization)
        years = timedelta(days=3650)
        made = _ca(_start(root, root, self._root_key, at - years / 2, at + years / 2), path_length=1)
        self.root = _sign(made, self._root_key, self._root_key)
        made = _start(self._intermediate_name, root, self._intermediate_key, at - years / 4, at + years / 4)
        self.intermediate = _sign(_ca(made, path_length=0), self._intermediate_key, self._root_key)

    def root_pem(self) -> bytes:
        """The root certificate as PEM: what a reader has to trust."""
        return self.root.public_bytes(serialization.Encoding.PEM)

    def issue(
        self,
        *names: str,
        key: KeyType = "ec",
        client: bool = False,
        days: tuple[int, int] = (-30, 60),
    ) -> Identity:
        """A leaf for `names` (DNS names or addresses), valid from and until so many days relative to the authority's time."""
        private = _generate(key)
        subject = _name(names[0], None)
        builder = _start(subject, self._intermediate_name, private, self.at + timedelta(days[0]), self.at + timedelta(days[1]))
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(_key_usage(ca=False, key_encipherment=key == "rsa"), critical=True)
        )
        return Identity(private, (_sign(builder, private, self._intermediate_key), self.intermediate))


def moment(at: int) -> datetime:
    """`at` in ns since the epoch as an aware datetime."""
    return datetime.fromtimestamp(at // 1_000_000_000, UTC)


def _generate(key: KeyType) -> PrivateKey:
    if key == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if key == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str, organization: str | None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization is not None:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(attributes)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.RFC822Name(name) if "@" in name else x509.DNSName(name)


def _start(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, not_before: datetime, not_after: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )


def _ca(builder: x509.CertificateBuilder, path_length: int) -> x509.CertificateBuilder:
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True).add_extension(
        _key_usage(ca=True, key_encipherment=False), critical=True
    )


def _key_usage(*, ca: bool, key_encipherment: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _sign(builder: x509.CertificateBuilder, subject: PrivateKey, issuer: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(subject.public_key()), critical=False
    ).add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)
    return builder.sign(issuer, hashes.SHA256())
