"""Algorithms by their names, as CycloneDX describes them."""

import pytest

from analyzer.codec.registry import registry
from analyzer.store.cbom_algorithms import (
    Algorithm,
    certificate_signature,
    group_algorithm,
    key_algorithm,
    scheme_algorithm,
    suite_algorithms,
    suite_number,
)


def test_every_registered_name_is_described():
    from cyclonedx.model.crypto import CryptoFunction, CryptoMode, CryptoPrimitive

    suites, groups, schemes = (registry(name) for name in ("cipher_suites", "supported_groups", "signature_schemes"))
    made: list[Algorithm] = [one for number in suites for one in suite_algorithms(suites.name(number))]
    made += [group_algorithm(groups.name(number)) for number in groups]
    made += [scheme_algorithm(schemes.name(number)) for number in schemes]
    assert len(made) > 1000
    for one in made:
        assert CryptoPrimitive(one.primitive)
        assert one.mode is None or CryptoMode(one.mode)
        assert all(CryptoFunction(function) for function in one.functions)


def test_the_parts_of_a_suite():
    parts = {one.reference: one for one in suite_algorithms("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA")}
    assert list(parts) == [
        "crypto/key-exchange/ECDHE",
        "crypto/cipher/AES_128_CBC",
        "crypto/mac/HMAC-SHA-1",
        "crypto/hash/SHA-256",
    ]
    cipher = parts["crypto/cipher/AES_128_CBC"]
    assert (cipher.primitive, cipher.mode, cipher.parameter, cipher.strength, cipher.category) == (
        "block-cipher",
        "cbc",
        "128",
        128,
        1,
    )


def test_a_suite_of_tls13_has_no_key_exchange():
    assert [one.name for one in suite_algorithms("TLS_CHACHA20_POLY1305_SHA256")] == ["CHACHA20_POLY1305", "SHA-256"]


def test_names_that_are_not_registered():
    assert list(suite_algorithms("0xeeee")) == []
    assert suite_number("0xeeee") is None
    assert (group_algorithm("0x9999").primitive, group_algorithm("0x9999").strength) == ("key-agree", None)


@pytest.mark.parametrize(
    ("name", "primitive", "category"),
    [
        ("x25519", "key-agree", 0),
        ("ffdhe2048", "key-agree", 0),
        ("MLKEM1024", "kem", 5),
        ("X25519MLKEM768", "combiner", 3),
        ("MLKEM512X25519", "combiner", 1),
        ("X25519Kyber768Draft00", "combiner", 3),
    ],
)
def test_groups(name: str, primitive: str, category: int):
    found = group_algorithm(name)
    assert (found.primitive, found.category) == (primitive, category)


def test_signatures_and_keys():
    assert scheme_algorithm("ecdsa_secp256r1_sha256").curve == "secp256r1"
    assert scheme_algorithm("mldsa65").category is None
    assert certificate_signature("sha256WithRSAEncryption").category == 0
    assert certificate_signature("1.2.3.4").category is None
    assert certificate_signature("ed25519") == scheme_algorithm("ed25519")  # one entry for both
    key = key_algorithm({"type": "rsa", "bits": 2048})
    assert (key.reference, key.primitive, key.strength, key.category) == ("crypto/public-key/rsa-2048", "pke", 112, 0)
    assert key_algorithm({"type": "ec", "curve": "secp384r1"}).strength == 192
