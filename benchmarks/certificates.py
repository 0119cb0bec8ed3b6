"""Makes server certificates for the workloads: leaves under two intermediates, half RSA, half ECDSA.

Each server sends its leaf and the intermediate, as most public servers do. The roots are written to a file and never sent.
Everything except the keys and signatures is the same on every run: names, serial numbers, dates.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

N_SERVERS = 200
NOT_BEFORE = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
NOT_AFTER = datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that signs others, and its key."""

    certificate: x509.Certificate
    key: PrivateKey


def server_name(index: int) -> str:
    """The DNS name of server `index`, 0 to N_SERVERS - 1."""
    return f"service-{index:03d}.zone-{index % 13}.example.net"


def pem_path(folder: Path, index: int) -> Path:
    """Where `write_certificates` puts key, leaf and intermediate of server `index`, in one PEM file."""
    return folder / f"{index:03d}.pem"


def write_certificates(folder: Path) -> None:
    """Write the PEM file of every server and `roots.pem` to `folder`. Do nothing if `roots.pem`, which is written last,
    exists."""
    roots = folder / "roots.pem"
    if roots.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    root_pems = []
    for kind, make_key in enumerate((rsa_key, elliptic_key)):
        root = make_authority(f"Benchmark Root {kind}", None, make_key, 10 + kind, 1)
        intermediate = make_authority(f"Benchmark Issuing {kind}", root, make_key, 20 + kind, 0)
        root_pems.append(root.certificate.public_bytes(serialization.Encoding.PEM))
        for index in range(kind, N_SERVERS, 2):
            key = make_key()
            leaf = make_leaf(server_name(index), key, intermediate, 1000 + index)
            pem_path(folder, index).write_bytes(
                key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
                + leaf.public_bytes(serialization.Encoding.PEM)
                + intermediate.certificate.public_bytes(serialization.Encoding.PEM)
            )
    roots.write_bytes(b"".join(root_pems))


def rsa_key() -> PrivateKey:
    """A fresh RSA key of 2048 bits."""
    return rsa.generate_private_key(65537, 2048)


def elliptic_key() -> PrivateKey:
    """A fresh key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def make_authority(
    name: str, parent: Authority | None, make_key: Callable[[], PrivateKey], serial: int, path_length: int
) -> Authority:
    """Return an authority under `parent`, or a self-signed one if that is None."""
    key = make_key()
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CH"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Benchmark Trust Services"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    builder = start_certificate(subject, subject if parent is None else parent.certificate.subject, key, serial)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    builder = builder.add_extension(key_usage(signs_certificates=True), critical=True)
    signer = key if parent is None else parent.key
    return Authority(builder.sign(signer, hashes.SHA256()), key)


def make_leaf(name: str, key: PrivateKey, issuer: Authority, serial: int) -> x509.Certificate:
    """A server certificate for `name` and `www.name` with the extensions that public ones carry."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = start_certificate(subject, issuer.certificate.subject, key, serial)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(key_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.DNSName(name), x509.DNSName(f"www.{name}")]), critical=False
    )
    builder = builder.add_extension(
        x509.CRLDistributionPoints(
            [x509.DistributionPoint([x509.UniformResourceIdentifier("http://crl.example.net/1.crl")], None, None, None)]
        ),
        critical=False,
    )
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    return builder.sign(issuer.key, hashes.SHA256())


def start_certificate(subject: x509.Name, issuer: x509.Name, key: PrivateKey, serial: int) -> x509.CertificateBuilder:
    """Return a builder with the values that every certificate here has."""
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key(), serial, NOT_BEFORE, NOT_AFTER)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )  # fmt: skip


def key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """The key usage of an authority or of a server."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
