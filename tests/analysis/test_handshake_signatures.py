"""Signatures of every scheme that these libraries can make are verified, and no others."""

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, padding, rsa, utils, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from analyzer.analysis.handshake_signatures import read_key, verify
from analyzer.codec.registry import registry
from analyzer.x509.signature import Unsupported

CONTENT = b" " * 64 + b"what is signed"
RSA = rsa.generate_private_key(65537, 2048)
CURVE = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
EC = {bits: ec.generate_private_key(curve) for bits, curve in CURVE.items()}
DSA = dsa.generate_private_key(1024)
ED25519, ED448, MLDSA44 = (
    ed25519.Ed25519PrivateKey.generate(),
    ed448.Ed448PrivateKey.generate(),
    mldsa.MLDSA44PrivateKey.generate(),
)


def number(name: str) -> int:
    """The number of a registered scheme."""
    names = registry("signature_schemes").names
    return next(n for n in range(0x10000) if names[n] == name)


def pss(hashed: hashes.HashAlgorithm) -> padding.PSS:
    return padding.PSS(padding.MGF1(hashed), hashed.digest_size)


MADE: list[tuple[str, Any, bytes]] = [
    ("rsa_pkcs1_sha1", RSA, RSA.sign(CONTENT, padding.PKCS1v15(), hashes.SHA1())),
    ("rsa_pkcs1_sha256", RSA, RSA.sign(CONTENT, padding.PKCS1v15(), hashes.SHA256())),
    ("rsa_pkcs1_sha512", RSA, RSA.sign(CONTENT, padding.PKCS1v15(), hashes.SHA512())),
    ("rsa_pss_rsae_sha256", RSA, RSA.sign(CONTENT, pss(hashes.SHA256()), hashes.SHA256())),
    ("rsa_pss_pss_sha384", RSA, RSA.sign(CONTENT, pss(hashes.SHA384()), hashes.SHA384())),
    ("ecdsa_secp256r1_sha256", EC[256], EC[256].sign(CONTENT, ec.ECDSA(hashes.SHA256()))),
    ("ecdsa_secp384r1_sha384", EC[384], EC[384].sign(CONTENT, ec.ECDSA(hashes.SHA384()))),
    ("ecdsa_secp521r1_sha512", EC[521], EC[521].sign(CONTENT, ec.ECDSA(hashes.SHA512()))),
    ("ecdsa_sha1", EC[256], EC[256].sign(CONTENT, ec.ECDSA(hashes.SHA1()))),
    ("dsa_sha256", DSA, DSA.sign(CONTENT, hashes.SHA256())),
    ("ed25519", ED25519, ED25519.sign(CONTENT)),
    ("ed448", ED448, ED448.sign(CONTENT)),
    ("mldsa44", MLDSA44, MLDSA44.sign(CONTENT)),
]


def public(key: Any) -> Any:
    return read_key(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize(("name", "key", "signature"), MADE, ids=[name for name, _, _ in MADE])
def test_a_signature_verifies_and_a_changed_one_does_not(name: str, key: Any, signature: bytes):
    scheme = number(name)
    assert verify(public(key), scheme, signature, CONTENT)
    assert not verify(public(key), scheme, signature, CONTENT + b"!")
    for at in (0, len(signature) // 2, -1):
        changed = bytearray(signature)
        changed[at] ^= 1
        assert not verify(public(key), scheme, bytes(changed), CONTENT)
    for bad in (b"", signature[:-1], signature + b"\0"):
        assert not verify(public(key), scheme, bad, CONTENT)
    for _, other, _ in MADE:
        if type(other) is not type(key):
            assert not verify(public(other), scheme, signature, CONTENT)


def test_before_tls_1_2_the_key_says_what_is_signed():
    both = hashlib.md5(CONTENT).digest() + hashlib.sha1(CONTENT).digest()
    block = b"\0\1" + b"\xff" * (256 - 3 - 36) + b"\0" + both  # PKCS #1 type 1, with no DigestInfo
    numbers = RSA.private_numbers()
    signature = pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n).to_bytes(256, "big")
    assert verify(public(RSA), None, signature, CONTENT)
    assert verify(public(RSA), None, signature, b"", both)
    assert not verify(public(RSA), None, signature, CONTENT + b"!")
    prehashed = utils.Prehashed(hashes.SHA1())
    assert verify(public(DSA), None, DSA.sign(both[16:], prehashed), CONTENT)
    assert verify(public(EC[256]), None, EC[256].sign(both[16:], ec.ECDSA(prehashed)), b"", both)
    assert not verify(public(ED25519), None, ED25519.sign(CONTENT), CONTENT)


@pytest.mark.parametrize("name", ["sm2sig_sm3", "gostr34102012_256a", "slhdsa_sha2_128s", "ecdsa_brainpoolP256r1tls13_sha256"])
def test_an_unsupported_scheme_is_named(name: str):
    if name.startswith("ecdsa"):
        assert not verify(public(EC[256]), number(name), b"signature", CONTENT)
        return
    with pytest.raises(Unsupported, match=name):
        verify(public(RSA), number(name), b"signature", CONTENT)


def test_an_unknown_number_is_named():
    with pytest.raises(Unsupported, match="0x1234"):
        verify(public(RSA), 0x1234, b"signature", CONTENT)


def test_keys_that_do_not_sign_are_named():
    with pytest.raises(Unsupported, match="does not sign"):
        public(x25519.X25519PrivateKey.generate())
    with pytest.raises(Unsupported, match="cannot be used"):
        read_key(b"\x30\x03abc")


def test_a_key_that_makes_checks_slow_is_named():
    slow = rsa.RSAPublicNumbers((1 << 64) | 1, RSA.public_key().public_numbers().n).public_key()
    with pytest.raises(Unsupported, match="too long"):
        read_key(slow.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
