"""Verifies signatures of certification authorities, OCSP responders and logs, and reads the public keys for it.

An AlgorithmIdentifier (RFC 5280, section 4.1.1.2) names the scheme and its hash. RSASSA-PSS has parameters (RFC 4055,
section 3.1). The `cryptography` library does the arithmetic; this module maps the names to it. EdDSA and ML-DSA keys have one
scheme each, and its identifier is that of the key (RFC 8410, 9881). Keys for handshake signatures are read here too.
"""

from functools import lru_cache
from typing import Any, Literal, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key

from analyzer.codec.errors import Malformed, ParseError
from analyzer.x509.der import INTEGER, OBJECT_IDENTIFIER, SEQUENCE, encode_object_identifier, expect, read_element

Check: TypeAlias = Literal["verified", "failed", "unverifiable"]
"""The result for a signature. `unverifiable`: the key or the algorithm is not supported, or they do not match."""

MODULUS_BITS = 16384
"""Largest RSA modulus that is used, in bits: one check with it takes milliseconds, and the time grows with the square."""

EXPONENT_BITS = 64
"""Longest RSA exponent that is used, in bits; OpenSSL has the same limit for large keys. An exponent as long as the modulus
takes a hundred times as long."""

KEY_SIZE = 1 << 13
"""Longest SubjectPublicKeyInfo that is read, in bytes: RSA keys of that modulus need a quarter of it, keys of ML-DSA a
third."""

KEYS = 1024
"""Maximum number of cached public keys: few authorities sign everything, and reading a key costs as much as using it."""

SIGNERS = 8
"""Maximum number of keys for which the check of one response or list is cached: its issuer's, some delegates', and some failed
ones."""

SALT = 512
"""Longest salt of RSASSA-PSS that is accepted, in bytes; the longest hash has 64."""

# A signature with a weak hash must be checked with that hash. Other modules decide whether the hash is acceptable.
_MD5 = hashes.MD5()  # noqa: S303
_SHA1 = hashes.SHA1()  # noqa: S303
_SHA224, _SHA256, _SHA384, _SHA512 = hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()
HASHES: dict[str, hashes.HashAlgorithm] = {
    "md5": _MD5, "sha1": _SHA1, "sha224": _SHA224, "sha256": _SHA256, "sha384": _SHA384, "sha512": _SHA512,
}  # fmt: skip
"""Hashes by their names in TLS."""

_NIST = "2.16.840.1.101.3.4"

_SCHEMES: dict[bytes, tuple[str, hashes.HashAlgorithm]] = {
    encode_object_identifier(dotted): scheme
    for dotted, scheme in {
        "1.2.840.113549.1.1.4": ("rsa", _MD5),
        "1.2.840.113549.1.1.5": ("rsa", _SHA1),
        "1.3.14.3.2.29": ("rsa", _SHA1),
        "1.2.840.113549.1.1.11": ("rsa", _SHA256),
        "1.2.840.113549.1.1.12": ("rsa", _SHA384),
        "1.2.840.113549.1.1.13": ("rsa", _SHA512),
        "1.2.840.113549.1.1.14": ("rsa", _SHA224),
        f"{_NIST}.3.13": ("rsa", hashes.SHA3_224()),
        f"{_NIST}.3.14": ("rsa", hashes.SHA3_256()),
        f"{_NIST}.3.15": ("rsa", hashes.SHA3_384()),
        f"{_NIST}.3.16": ("rsa", hashes.SHA3_512()),
        "1.2.840.10045.4.1": ("ec", _SHA1),
        "1.2.840.10045.4.3.1": ("ec", _SHA224),
        "1.2.840.10045.4.3.2": ("ec", _SHA256),
        "1.2.840.10045.4.3.3": ("ec", _SHA384),
        "1.2.840.10045.4.3.4": ("ec", _SHA512),
        f"{_NIST}.3.9": ("ec", hashes.SHA3_224()),
        f"{_NIST}.3.10": ("ec", hashes.SHA3_256()),
        f"{_NIST}.3.11": ("ec", hashes.SHA3_384()),
        f"{_NIST}.3.12": ("ec", hashes.SHA3_512()),
        "1.2.840.10040.4.3": ("dsa", _SHA1),
        f"{_NIST}.3.1": ("dsa", _SHA224),
        f"{_NIST}.3.2": ("dsa", _SHA256),
        f"{_NIST}.3.3": ("dsa", _SHA384),
        f"{_NIST}.3.4": ("dsa", _SHA512),
    }.items()
}
_PSS = encode_object_identifier("1.2.840.113549.1.1.10")
_MGF1 = encode_object_identifier("1.2.840.113549.1.1.8")
_HASHES: dict[bytes, hashes.HashAlgorithm] = {
    encode_object_identifier(dotted): algorithm
    for dotted, algorithm in {
        "1.3.14.3.2.26": _SHA1,
        f"{_NIST}.2.1": _SHA256,
        f"{_NIST}.2.2": _SHA384,
        f"{_NIST}.2.3": _SHA512,
        f"{_NIST}.2.4": _SHA224,
    }.items()
}


class Unsupported(Exception):  # noqa: N818 - a regular result
    """This signature cannot be checked, or this key cannot be used; the text says why."""


def verify(public_key: bytes, algorithm: bytes, signature: bytes, signed: bytes) -> Check:
    """Check a signature over `signed`. public_key: SubjectPublicKeyInfo. algorithm: AlgorithmIdentifier. Both are DER."""
    key = load_key(public_key)
    if key is None:
        return "unverifiable"
    try:
        _, start, end, _ = expect(algorithm, 0, len(algorithm), SEQUENCE, "signatureAlgorithm")
        _, first, last, pos = expect(algorithm, start, end, OBJECT_IDENTIFIER, "algorithm")
        kind = algorithm[first:last]
        if kind == _PSS:
            return _verify_pss(key, read_pss(algorithm, pos, end), signature, signed)
        scheme = _SCHEMES.get(kind)
        if scheme is None:
            return _verify_own(key, public_key, kind, signature, signed)
    except (ParseError, UnsupportedAlgorithm):
        return "unverifiable"
    return verify_scheme(key, scheme[0], scheme[1], signature, signed)


def verify_scheme(key: PublicKeyTypes, kind: str, algorithm: hashes.HashAlgorithm, signature: bytes, signed: bytes) -> Check:
    """Check a signature of RSA (PKCS #1, 1.5), `ec` (ECDSA) or DSA with this hash."""
    if kind == "rsa" and isinstance(key, rsa.RSAPublicKey):
        return _verify(key, signature, signed, padding.PKCS1v15(), algorithm)
    if kind == "ec" and isinstance(key, ec.EllipticCurvePublicKey):
        return _verify(key, signature, signed, ec.ECDSA(algorithm))
    if kind == "dsa" and isinstance(key, dsa.DSAPublicKey):
        return _verify(key, signature, signed, algorithm)
    return "unverifiable"


def verify_once(checks: dict[bytes, Check], public_key: bytes, algorithm: bytes, signature: bytes, signed: bytes) -> Check:
    """Check a signature as `verify` does, once for each key: the same OCSP response or CRL is used for many certificates.

    checks: the cached results by public key; each response or list has its own.
    """
    known = checks.get(public_key)
    if known is None:
        known = verify(public_key, algorithm, signature, signed)
        if len(checks) < SIGNERS:
            checks[public_key] = known
    return known


def read_key(public_key: bytes) -> PublicKeyTypes:
    """Read a SubjectPublicKeyInfo. Raises Unsupported, also if using the key would take longer than with any honest key."""
    if len(public_key) > KEY_SIZE:
        raise Unsupported(f"the signer's key has {len(public_key)} bytes, and more than {KEY_SIZE} are not read")
    try:
        key = load_der_public_key(public_key)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Unsupported(f"the signer's key cannot be used: {error}") from error
    if isinstance(key, rsa.RSAPublicKey) and (
        key.key_size > MODULUS_BITS or key.public_numbers().e.bit_length() > EXPONENT_BITS
    ):
        raise Unsupported("a check with the signer's key would take too long")
    return key


def load_key(public_key: bytes) -> PublicKeyTypes | None:
    """Read a SubjectPublicKeyInfo; None if `read_key` raises. Keys are cached."""
    return None if len(public_key) > KEY_SIZE else _load_key(public_key)


@lru_cache(maxsize=KEYS)
def _load_key(public_key: bytes) -> PublicKeyTypes | None:
    try:
        return read_key(public_key)
    except Unsupported:
        return None


def _verify(key: Any, signature: bytes, signed: bytes, *scheme: Any) -> Check:
    try:
        key.verify(signature, signed, *scheme)
    except InvalidSignature:
        return "failed"
    except (ValueError, UnsupportedAlgorithm):
        return "unverifiable"
    return "verified"


def _verify_own(key: PublicKeyTypes, public_key: bytes, kind: bytes, signature: bytes, signed: bytes) -> Check:
    """Check a signature of a key that has only one scheme, with the same identifier as the key."""
    _, start, end, _ = expect(public_key, 0, len(public_key), SEQUENCE, "subjectPublicKeyInfo")
    _, start, end, _ = expect(public_key, start, end, SEQUENCE, "algorithm")
    _, first, last, _ = expect(public_key, start, end, OBJECT_IDENTIFIER, "algorithm")
    if public_key[first:last] != kind or not hasattr(key, "verify"):
        return "unverifiable"
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | dsa.DSAPublicKey):
        return "unverifiable"
    return _verify(key, signature, signed)


def _verify_pss(
    key: PublicKeyTypes, parameters: tuple[hashes.HashAlgorithm, hashes.HashAlgorithm, int], signature: bytes, signed: bytes
) -> Check:
    algorithm, mask, salt = parameters
    if not isinstance(key, rsa.RSAPublicKey):
        return "unverifiable"
    return _verify(key, signature, signed, padding.PSS(padding.MGF1(mask), salt), algorithm)


def read_pss(der: bytes, pos: int, end: int) -> tuple[hashes.HashAlgorithm, hashes.HashAlgorithm, int]:
    """Read RSASSA-PSS-params: the hash, the hash of the mask, the length of the salt. The defaults are SHA-1 and 20.

    Raises `Malformed`, also for another trailer field than 1, which no verifier may accept (RFC 4055, section 3.1), or another
    mask generation function than MGF1; `UnsupportedAlgorithm` for a hash.
    """
    algorithm: hashes.HashAlgorithm = _SHA1
    mask: hashes.HashAlgorithm = _SHA1
    salt = 20
    if pos < end:
        _, pos, end, _ = expect(der, pos, end, SEQUENCE, "parameters")
    while pos < end:
        tag, start, stop, pos = read_element(der, pos, end, "parameters")
        if tag == 0xA0:
            algorithm = _read_hash(der, start, stop)
        elif tag == 0xA1:
            _, start, stop, _ = expect(der, start, stop, SEQUENCE, "maskGenAlgorithm")
            _, first, last, after = expect(der, start, stop, OBJECT_IDENTIFIER, "maskGenAlgorithm")
            if der[first:last] != _MGF1:
                raise Malformed("maskGenAlgorithm", first, "not id-mgf1")
            mask = _read_hash(der, after, stop)
        elif tag == 0xA2:
            _, first, last, _ = expect(der, start, stop, INTEGER, "saltLength")
            salt = min(int.from_bytes(der[first : min(last, first + 4)], "big"), SALT)
        elif tag == 0xA3:
            _, first, last, _ = expect(der, start, stop, INTEGER, "trailerField")
            if der[first:last] != b"\1":
                raise Malformed(
                    "trailerField", first, f"{der[first:last][:8].hex() or 'nothing'}, and 1 is the only one there is"
                )
    return algorithm, mask, salt


def fits_key(identifier: bytes, public_key: bytes) -> bool:
    """Return whether a signature with these parameters may be made with a key that is for RSASSA-PSS alone; never raises.

    identifier: AlgorithmIdentifier; public_key: SubjectPublicKeyInfo. RFC 4055, section 3.3: if the key has parameters, hash
    and mask are the same in the signature, and its salt is at least as long.
    """
    try:
        bound = _parameters(public_key[expect(public_key, 0, len(public_key), SEQUENCE, "subjectPublicKeyInfo")[1] :])
        given = _parameters(identifier)
    except (ParseError, UnsupportedAlgorithm):
        return False
    if bound is None or given is None:
        return bound is None
    same = (bound[0].name, bound[1].name) == (given[0].name, given[1].name)
    return same and given[2] >= bound[2]


def _parameters(identifier: bytes) -> tuple[hashes.HashAlgorithm, hashes.HashAlgorithm, int] | None:
    """Read the parameters of an AlgorithmIdentifier of RSASSA-PSS; None without them, or for another algorithm."""
    _, start, end, _ = expect(identifier, 0, len(identifier), SEQUENCE, "algorithm")
    _, first, last, pos = expect(identifier, start, end, OBJECT_IDENTIFIER, "algorithm")
    return read_pss(identifier, pos, end) if identifier[first:last] == _PSS and pos < end else None


def _read_hash(der: bytes, pos: int, end: int) -> hashes.HashAlgorithm:
    _, start, stop, _ = expect(der, pos, end, SEQUENCE, "hashAlgorithm")
    _, first, last, _ = expect(der, start, stop, OBJECT_IDENTIFIER, "hashAlgorithm")
    algorithm = _HASHES.get(der[first:last])
    if algorithm is None:
        raise UnsupportedAlgorithm(f"hash {der[first:last].hex()}")
    return algorithm
