"""Verifies signatures of TLS handshakes, for every scheme that `cryptography` can check.

Since TLS 1.2 a number names the scheme (RFC 9846 section 4.3.3, RFC 5246 section 7.4.1.4.1). The meaning of each number is read
from its registered name. In older versions the kind of key decides: RSA signs the MD5 and SHA-1 together
(RFC 4346 section 7.4.3); DSA and ECDSA sign the SHA-1.
"""

import hashlib
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, padding, rsa, utils

from analyzer.codec.registry import registry
from analyzer.x509 import signature as certificates
from analyzer.x509.signature import HASHES, Unsupported

Key = (
    rsa.RSAPublicKey
    | dsa.DSAPublicKey
    | ec.EllipticCurvePublicKey
    | ed25519.Ed25519PublicKey
    | ed448.Ed448PublicKey
    | mldsa.MLDSA44PublicKey
    | mldsa.MLDSA65PublicKey
    | mldsa.MLDSA87PublicKey
)

# Key types by the first part of the scheme's name.
_FAMILIES: dict[str, type[Key]] = {
    "rsa": rsa.RSAPublicKey,
    "dsa": dsa.DSAPublicKey,
    "ecdsa": ec.EllipticCurvePublicKey,
    "ed25519": ed25519.Ed25519PublicKey,
    "ed448": ed448.Ed448PublicKey,
    "mldsa44": mldsa.MLDSA44PublicKey,
    "mldsa65": mldsa.MLDSA65PublicKey,
    "mldsa87": mldsa.MLDSA87PublicKey,
}


def read_key(spki: bytes) -> Key:
    """Return the key of a SubjectPublicKeyInfo in DER. Raises Unsupported."""
    key = certificates.read_key(spki)
    if not isinstance(key, Key):
        raise Unsupported("the certificate's key is of a kind that does not sign")
    return key


def verify(key: Key, scheme: int | None, signature: bytes, content: bytes, digest: bytes = b"") -> bool:
    """Return whether a signature was made by this key over this content. Raises Unsupported.

    scheme: the number in TLS 1.2 and later, None in older versions. digest: the MD5 and SHA-1 that SSL 3.0 signs, used instead
    of `content`.
    """
    try:
        if scheme is None:
            return _verify_old(key, signature, content, digest)
        arguments = _arguments(type(key), scheme)
        if arguments is None:
            return False
        key.verify(signature, content, *arguments)
    except (InvalidSignature, ValueError):  # ValueError: the bytes are not a signature at all
        return False
    except UnsupportedAlgorithm as error:
        raise Unsupported(f"the library does not check such a signature: {error}") from error
    return True


def _verify_old(key: Key, signature: bytes, content: bytes, digest: bytes) -> bool:
    """Check a signature of SSL 3.0 to TLS 1.1."""
    if not digest:
        digest = b"".join(hashlib.new(name, content, usedforsecurity=False).digest() for name in ("md5", "sha1"))
    if isinstance(key, rsa.RSAPublicKey):
        return key.recover_data_from_signature(signature, padding.PKCS1v15(), None) == digest
    prehashed = utils.Prehashed(hashes.SHA1())  # noqa: S303 - the hash that these versions sign
    if isinstance(key, dsa.DSAPublicKey):
        key.verify(signature, digest[16:], prehashed)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, digest[16:], ec.ECDSA(prehashed))
    else:
        return False
    return True


@cache
def _arguments(kind: type[Key], scheme: int) -> tuple[Any, ...] | None:
    """Return the arguments of `verify` after signature and content; None if such a key does not sign by this scheme."""
    family, arguments = _scheme(scheme)
    return arguments if issubclass(kind, _FAMILIES[family]) else None


def _scheme(number: int) -> tuple[str, tuple[Any, ...]]:
    """Return a scheme's family, and the arguments of such a key's `verify` after signature and content. Raises Unsupported."""
    name = registry("signature_schemes").names[number]
    words = name.removesuffix("_legacy").split("_")
    algorithm = HASHES.get(words[-1])
    if name in ("ed25519", "ed448", "mldsa44", "mldsa65", "mldsa87"):
        return name, ()
    if words[0] not in ("rsa", "dsa", "ecdsa") or algorithm is None:
        raise Unsupported(f"no kept library checks signatures of the scheme {name}")
    if words[0] == "dsa":
        return "dsa", (algorithm,)
    if words[0] == "ecdsa":
        return "ecdsa", (ec.ECDSA(algorithm),)
    if words[1] == "pss":
        pss = padding.PSS(mgf=padding.MGF1(algorithm), salt_length=padding.PSS.DIGEST_LENGTH)
        return "rsa", (pss, algorithm)
    return "rsa", (padding.PKCS1v15(), algorithm)
