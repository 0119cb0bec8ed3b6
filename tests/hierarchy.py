"""Makes certificates as a test needs them: a root, an intermediate and a leaf, valid ones, or with the changes of a test."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AT = datetime(2024, 6, 1, 12, tzinfo=UTC)
"""The time at which the valid hierarchy is validated."""

HOST = "host.example.com"
"""The host name of the valid leaf."""

EVERY_USAGE = dict.fromkeys(
    (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
)


@dataclass(frozen=True)
class Made:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    """A key on P-256, the same for the same name."""
    assert name
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """An RSA key, the same for the same length."""
    return rsa.generate_private_key(65537, bits)


def name(common_name: str | None) -> x509.Name:
    """A distinguished name of one attribute, or of none."""
    return x509.Name([] if common_name is None else [x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def usage(*bits: str) -> x509.KeyUsage:
    """A key usage with these bits."""
    return x509.KeyUsage(**(EVERY_USAGE | dict.fromkeys(bits, True)))


def hosts(*names: str) -> x509.SubjectAlternativeName:
    """Alternative names that are all DNS names."""
    return x509.SubjectAlternativeName([x509.DNSName(one) for one in names])


Extensions = Mapping[type[x509.ExtensionType], tuple[x509.ExtensionType, bool] | None]


def make(
    subject: str | None,
    issuer: Made | None = None,
    *,
    key: Any = None,
    not_before: datetime = AT - timedelta(days=100),
    not_after: datetime = AT + timedelta(days=100),
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    changed: Extensions | None = None,
    issuer_name: x509.Name | None = None,
    subject_name: x509.Name | None = None,
    signer: Any = None,
    digest: hashes.HashAlgorithm | None = None,
    serial: int | None = None,
    rsa_padding: Any = None,
    extra: Iterable[x509.ExtensionType] = (),
) -> Made:
    """Make a certificate. `changed` replaces extensions by those of the same type, or removes them."""
    key = key or ec_key(subject or "nobody")
    subject_name = name(subject) if subject_name is None else subject_name
    if issuer_name is None:
        issuer_name = issuer.certificate.subject if issuer else subject_name
    signer = signer or (issuer.key if issuer else key)
    wanted = {type(value): (value, critical) for value, critical in extensions}
    wanted[x509.SubjectKeyIdentifier] = x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False
    identified = issuer.certificate.public_key() if issuer else key.public_key()
    wanted[x509.AuthorityKeyIdentifier] = x509.AuthorityKeyIdentifier.from_issuer_public_key(identified), False
    builder = x509.CertificateBuilder(
        subject_name=subject_name,
        issuer_name=issuer_name,
        public_key=key.public_key(),
        serial_number=serial or x509.random_serial_number(),
        not_valid_before=not_before,
        not_valid_after=not_after,
    )
    for kind, extension in (wanted | dict(changed or {})).items():
        assert issubclass(kind, x509.ExtensionType)
        if extension is not None:
            builder = builder.add_extension(*extension)
    for value in extra:
        builder = builder.add_extension(value, False)
    if digest is None and isinstance(signer, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        digest = hashes.SHA256()
    return Made(builder.sign(signer, digest, rsa_padding=rsa_padding), key)


def make_root(subject: str | None = "Root", **changes: Any) -> Made:
    """Make a self-signed authority."""
    return make(subject, extensions=authority_extensions(), **changes)


def make_intermediate(issuer: Made, subject: str | None = "Intermediate", **changes: Any) -> Made:
    """Make an authority under another."""
    return make(subject, issuer, extensions=authority_extensions(), **changes)


def make_leaf(issuer: Made, subject: str | None = HOST, **changes: Any) -> Made:
    """Make a server's certificate."""
    return make(subject, issuer, extensions=leaf_extensions(), **changes)


def authority_extensions() -> list[tuple[x509.ExtensionType, bool]]:
    """The extensions of an authority."""
    return [(x509.BasicConstraints(True, None), True), (usage("key_cert_sign", "crl_sign"), True)]


def leaf_extensions(purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH) -> list[tuple[x509.ExtensionType, bool]]:
    """The extensions of a server's certificate."""
    return [
        (x509.BasicConstraints(False, None), True),
        (usage("digital_signature"), True),
        (x509.ExtendedKeyUsage([purpose]), False),
        (hosts(HOST), False),
    ]


@dataclass(frozen=True)
class Hierarchy:
    """Root, intermediate and leaf, and the chain that is sent."""

    root: Made
    intermediate: Made
    leaf: Made

    @property
    def chain(self) -> list[bytes]:
        return [self.leaf.der, self.intermediate.der]


def hierarchy(
    root: Mapping[str, Any] | None = None, intermediate: Mapping[str, Any] | None = None, leaf: Mapping[str, Any] | None = None
) -> Hierarchy:
    """Make the valid hierarchy, or one with other arguments to `make` for one of the three."""
    root_made = make_root(**(root or {}))
    intermediate_made = make_intermediate(root_made, **(intermediate or {}))
    return Hierarchy(root_made, intermediate_made, make_leaf(intermediate_made, **(leaf or {})))


def patched(
    der: bytes, signer: Any, patches: Sequence[tuple[bytes, bytes]], digest: hashes.HashAlgorithm | None = None
) -> bytes:
    """Replace bytes everywhere in a certificate, correct the lengths around them, and sign again."""
    whole = x509.load_der_x509_certificate(der)
    signed, algorithm = whole.tbs_certificate_bytes, _element(der, len(der) - len(_after_signed(der)))
    for old, new in patches:
        assert old in signed + algorithm, old.hex()
        signed, algorithm = signed.replace(old, new), algorithm.replace(old, new)
    signed = _sequence(signed[_head(signed) :])
    digest = digest or hashes.SHA256()
    if isinstance(signer, rsa.RSAPrivateKey):
        signature = signer.sign(signed, padding.PKCS1v15(), digest)
    else:
        signature = signer.sign(signed, ec.ECDSA(digest))
    return _sequence(signed + algorithm + tagged(0x03, b"\0" + signature))


def _after_signed(der: bytes) -> bytes:
    inside = der[_head(der) :]
    return inside[len(_element(inside, 0)) :]


def _head(data: bytes, pos: int = 0) -> int:
    return 2 + (data[pos + 1] & 0x7F if data[pos + 1] & 0x80 else 0)


def _element(data: bytes, pos: int) -> bytes:
    head = _head(data, pos)
    length = int.from_bytes(data[pos + 2 : pos + head], "big") if head > 2 else data[pos + 1]
    return data[pos : pos + head + length]


def _sequence(content: bytes) -> bytes:
    return tagged(0x30, content)


def tagged(tag: int, content: bytes) -> bytes:
    """Write an element of DER."""
    length = len(content)
    octets = length.to_bytes((length.bit_length() + 7) // 8 or 1, "big")
    return bytes((tag,)) + (bytes((length,)) if length < 0x80 else bytes((0x80 | len(octets),)) + octets) + content
