"""Signatures on certificates: valid ones, invalid ones, and ones with a weak algorithm."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding
from hierarchy import ec_key, make_leaf, make_root, patched, rsa_key, tagged
from hypothesis import given
from hypothesis import strategies as st

from analyzer.x509.certificate_view import CertificateView
from analyzer.x509.signature_strength import GOOD, Outcome, check_signature, signature_algorithm

KEYS: dict[str, Any] = {
    "rsa": rsa_key(2048),
    "p256": ec_key("p256"),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ed448": ed448.Ed448PrivateKey.generate(),
}


def _check(subject: bytes, issuer: bytes) -> Outcome:
    read, authority = CertificateView(subject), CertificateView(issuer)
    return check_signature(read.signed, read.signature, read.algorithm, authority.spki)


@pytest.mark.parametrize("kind", KEYS)
def test_good_and_bad_signatures(kind: str) -> None:
    root = make_root(key=KEYS[kind])
    leaf = make_leaf(root)
    assert _check(leaf.der, root.der) is GOOD
    assert signature_algorithm(CertificateView(leaf.der).algorithm).weakness is None
    changed = leaf.der.replace(b"host.example.com", b"evil.example.com")
    assert _check(changed, root.der).result == "bad"
    for other, key in KEYS.items():
        if other != kind:
            assert _check(leaf.der, make_root(key=key).der).result == "bad"


@pytest.mark.skipif(find_spec(f"{ec.__package__}.mldsa") is None, reason="this release of cryptography has no ML-DSA")
def test_ml_dsa() -> None:
    keys = import_module(f"{ec.__package__}.mldsa")
    root = make_root(key=keys.MLDSA65PrivateKey.generate())
    leaf = make_leaf(root)
    assert _check(leaf.der, root.der) is GOOD
    assert signature_algorithm(CertificateView(leaf.der).algorithm).name == "ml-dsa-65"
    assert _check(leaf.der.replace(b"host.example.com", b"evil.example.com"), root.der).result == "bad"
    assert _check(leaf.der, make_root(key=keys.MLDSA65PrivateKey.generate()).der).result == "bad"
    assert _check(leaf.der, make_root(key=keys.MLDSA44PrivateKey.generate()).der).result == "bad"


@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA384(), hashes.SHA224()], ids=lambda digest: digest.name)
def test_pss(digest: hashes.HashAlgorithm) -> None:
    root = make_root(key=rsa_key(2048))
    pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
    leaf = make_leaf(root, digest=digest, rsa_padding=pss)
    assert _check(leaf.der, root.der) is GOOD
    algorithm = signature_algorithm(CertificateView(leaf.der).algorithm)
    assert algorithm.digest == digest.name
    assert (algorithm.weakness is None) == (digest.name != "sha224")


@pytest.mark.parametrize(("digest", "last"), [(hashes.MD5(), 4), (hashes.SHA1(), 5)], ids=["MD5", "SHA-1"])
def test_forgeable_digests_are_checked_and_weak(digest: hashes.HashAlgorithm, last: int) -> None:
    root = make_root(key=rsa_key(2048))
    old = bytes.fromhex("2a864886f70d01010b")
    leaf = patched(make_leaf(root).der, root.key, [(old, old[:-1] + bytes((last,)))], digest)
    assert _check(leaf, root.der) is GOOD
    assert "forged" in (signature_algorithm(CertificateView(leaf).algorithm).weakness or "")


def test_an_unknown_algorithm_cannot_be_checked() -> None:
    root = make_root(key=rsa_key(2048))
    old = bytes.fromhex("2a864886f70d01010b")
    leaf = patched(make_leaf(root).der, root.key, [(old, old[:-1] + b"\x7f")])
    assert _check(leaf, root.der).result == "unknown"
    assert "nobody can check" in (signature_algorithm(CertificateView(leaf).algorithm).weakness or "")


def test_very_large_dsa_keys_are_not_used() -> None:
    numbers = b"".join(tagged(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big")) for number in (2**9000 + 1, 257, 2))
    kind = bytes.fromhex("06072a8648ce380401")
    spki = tagged(0x30, tagged(0x30, kind + tagged(0x30, numbers)) + tagged(0x03, bytes.fromhex("00020103")))
    outcome = check_signature(b"", b"", bytes.fromhex("300b0609608648016503040302"), spki)
    assert outcome.result == "unknown"
    assert "more than" in outcome.why


@given(st.binary(max_size=40), st.binary(max_size=80), st.binary(max_size=80))
def test_any_bytes_have_a_result(signature: bytes, identifier: bytes, public_key: bytes) -> None:
    leaf = CertificateView(make_leaf(make_root()).der)
    assert check_signature(b"", signature, identifier, public_key) is not GOOD
    assert check_signature(leaf.signed, signature, leaf.algorithm, leaf.spki).result == "bad"
    assert check_signature(leaf.signed, leaf.signature, identifier, leaf.spki) is not GOOD
    signature_algorithm(identifier)
