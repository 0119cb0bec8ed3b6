"""Makes certificates with any extensions, by the `cryptography` library; not a test itself."""

from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ObjectIdentifier

KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "made.example")])
FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)


def make(*extensions: x509.ExtensionType, critical: bool = False, key: Any = None, **signing: Any) -> bytes:
    """Return a certificate with these extensions, signed with its own key (or with `KEY`)."""
    signer = KEY if key is None else key
    public = signer if isinstance(signer, x509.CertificateBuilder) else signer.public_key()
    builder = x509.CertificateBuilder(NAME, NAME, public, 7, FIRST, LAST)
    for extension in extensions:
        builder = builder.add_extension(extension, critical)
    plain = type(signer).__name__.startswith(("Ed", "ed", "ML", "_ML"))
    algorithm = signing.pop("algorithm", None if plain else SHA256())
    return builder.sign(signer, algorithm, **signing).public_bytes(Encoding.DER)


def raw(dotted: str, value: bytes) -> x509.UnrecognizedExtension:
    """Return an extension of any kind, with this value inside its OCTET STRING."""
    return x509.UnrecognizedExtension(ObjectIdentifier(dotted), value)
