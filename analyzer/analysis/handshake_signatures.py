"""Signatures of TLS handshakes by every scheme that `cryptography` can check.

Since TLS 1.2 a number names the scheme (RFC 9846 section 4.3.3, RFC 5246 section 7.4.1.4.1), and before that the key alone
does: RSA signs MD5 and SHA-1 together without saying so (RFC 4346 section 7.4.3), DSA and ECDSA sign SHA-1. What each number
means is read from its registered name.
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

# By the start of the scheme's name.
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
    """The key of a SubjectPublicKeyInfo in DER. Raises Unsupported."""
    key = certificates.read_key(spki)
    if not isinstance(key, Key):
        raise Unsupported("the certificate's key is of a kind that does not sign")
    return key


def verify(key: Key, scheme: int | None, signature: bytes, content: bytes, digest: bytes = b"") -> bool:
    """Whether a signature is by this key, over this content. Raises Unsupported.

    scheme: as in TLS 1.2 and later, None before. digest: MD5 and SHA-1 of what SSL 3.0 signs, in place of `content`.
    """
    try:
        if scheme is None:
            return _verify_old(key, signature, content, digest)
        family, arguments = _scheme(scheme)
        if not isinstance(key, _FAMILIES[family]):
            return False
        key.verify(signature, content, *arguments)
    except (InvalidSignature, ValueError):  # a signature that is no signature at all is not the key's either
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
    prehashed = utils.Prehashed(hashes.SHA1())  # noqa: S303 - what these versions sign
    if isinstance(key, dsa.DSAPublicKey):
        key.verify(signature, digest[16:], prehashed)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, digest[16:], ec.ECDSA(prehashed))
    else:
        return False
    return True


@cache
def _scheme(number: int) -> tuple[str, tuple[Any, ...]]:
    """A scheme's family and what `verify` of such a key takes beside signature and content. Raises Unsupported."""
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
