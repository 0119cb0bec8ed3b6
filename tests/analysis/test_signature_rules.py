"""Which scheme, key and curve each version allows in a handshake signature that agrees with its key."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from analyzer.analysis.signature_rules import PSS_KEY, objection
from analyzer.codec.registry import registry
from analyzer.tls.handshake.authentication import Signed

CLIENT, SERVER = 0, 1
RSA, DSA = rsa.generate_private_key(65537, 1024), dsa.generate_private_key(1024)
P256, P384, BRAINPOOL = (ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.BrainpoolP256R1()))
ED25519 = ed25519.Ed25519PrivateKey.generate()


def number(name: str) -> int:
    """The number of a registered scheme."""
    names = registry("signature_schemes").names
    return next(n for n in range(0x10000) if names[n] == name)


def objected(
    name: str | None,
    key: Any,
    *,
    tls13: bool = True,
    role: int = SERVER,
    offered: Any = None,
    method: str = "",
    pss: bool = False,
) -> str:
    """What is objected to a signature with that scheme and key. pss: whether the key is for RSASSA-PSS alone."""
    signed = Signed(role, None if name is None else number(name), b"content", b"signature", b"", "")
    signed.tls13, signed.method = tls13, method
    signed.offered = None if offered is None else tuple(map(number, offered))
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if pss:
        spki = b"\x30\x82\1\0\x30\x0b\6\x09" + PSS_KEY + spki[24:]
    return objection(signed, key.public_key(), spki)


@pytest.mark.parametrize(
    ("name", "key", "pss"),
    [
        ("rsa_pss_rsae_sha256", RSA, False),
        ("rsa_pss_pss_sha256", RSA, True),
        ("ecdsa_secp256r1_sha256", P256, False),
        ("ecdsa_secp384r1_sha384", P384, False),
        ("ecdsa_brainpoolP256r1tls13_sha256", BRAINPOOL, False),
        ("ed25519", ED25519, False),
    ],
)
@pytest.mark.parametrize("role", [CLIENT, SERVER])
def test_what_tls_1_3_allows(name: str, key: Any, pss: bool, role: int):
    assert objected(name, key, role=role, pss=pss) == ""
    assert objected(name, key, role=role, pss=pss, offered=["rsa_pkcs1_sha256", name]) == ""


@pytest.mark.parametrize("name", ["rsa_pkcs1_sha256", "rsa_pkcs1_sha1", "rsa_pkcs1_sha256_legacy"])
def test_tls_1_3_has_no_padding_of_pkcs_1(name: str):
    assert f"made with {name}, which TLS 1.3 allows in certificates only" in objected(name, RSA)


def test_a_client_may_use_pkcs_1_under_its_own_numbers():
    assert objected("rsa_pkcs1_sha256_legacy", RSA, role=CLIENT) == ""
    assert objected("rsa_pkcs1_sha256", RSA, role=CLIENT) != ""


@pytest.mark.parametrize(("name", "key"), [("ecdsa_sha1", P256), ("dsa_sha256", DSA), ("ecdsa_sha224", P256)])
def test_tls_1_3_has_neither_dsa_nor_old_hashes(name: str, key: Any):
    assert "in certificates only" in objected(name, key)
    assert objected(name, key, tls13=False) == ""


def test_in_tls_1_3_a_scheme_has_one_curve():
    assert "the curve of its key is secp256r1" in objected("ecdsa_secp384r1_sha384", P256)
    assert objected("ecdsa_secp384r1_sha384", P256, tls13=False) == ""


@pytest.mark.parametrize("tls13", [False, True])
def test_a_key_for_pss_and_one_that_is_not_have_their_own_schemes(tls13: bool):
    assert "for rsa_pss_pss alone" in objected("rsa_pss_rsae_sha256", RSA, tls13=tls13, pss=True)
    assert "not for RSASSA-PSS alone" in objected("rsa_pss_pss_sha256", RSA, tls13=tls13)


@pytest.mark.parametrize("tls13", [False, True])
@pytest.mark.parametrize(("role", "peer"), [(SERVER, "client"), (CLIENT, "server")])
def test_a_peer_has_to_accept_the_scheme(tls13: bool, role: int, peer: str):
    words = objected("ecdsa_secp256r1_sha256", P256, tls13=tls13, role=role, offered=["ed25519"])
    assert f"which the {peer} does not accept" in words
    assert objected("ecdsa_secp256r1_sha256", P256, tls13=tls13, role=role, offered=[]) == ""  # it named none


@pytest.mark.parametrize(
    ("method", "right", "wrong"),
    [("RSA", [RSA], [P256, DSA]), ("ECDSA", [P256, ED25519], [RSA]), ("DSS", [DSA], [RSA]), ("", [RSA, P256], [])],
)
@pytest.mark.parametrize("old", [False, True])
def test_the_suite_says_what_key_a_server_signs_with(method: str, right: list[Any], wrong: list[Any], old: bool):
    names = {RSA: "rsa_pkcs1_sha1", P256: "ecdsa_sha1", DSA: "dsa_sha1", ED25519: "ed25519"}
    for key in right + wrong:
        words = objected(None if old else names[key], key, tls13=False, method=method)
        assert bool(words) == (key in wrong), words
        assert objected(None if old else names[key], key, tls13=False, method=method, role=CLIENT) == ""
