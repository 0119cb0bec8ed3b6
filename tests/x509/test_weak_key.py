"""Keys of broken generators, and keys that are only too short."""

from math import gcd, prod
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hierarchy import rsa_key, tagged
from hypothesis import given
from hypothesis import strategies as st

from analyzer.x509.weak_key import is_roca, key_weakness

# The product of two primes k * M + (65537^a mod M), where M is the product of the primes up to 167, as in Infineon's library
# (Nemec, Sys, Svenda, Klinec, Matyas: The Return of Coppersmith's Attack, 2017). It was made for this test.
ROCA = int(
    "e0d8d4c0d7c0f4ece0173e2ff306f98e35e272e2de92a73f1c9b569984f7937046a9360a57f4a86d0338c69952277bca1ae9f91cdf3a2a29aac3"
    "8c29e0b59513d53d75108155df3b7fb1dd7ce80170c66495640b3acf9b2b35b4434070850772de6a997845893a584313c04d6a39564f734b3940"
    "4580d0c25bb668c26e54c5ad95298155783f82ab25528a21597df848f86be6098ac41a4bb6c5ae3815ec14aa274709361c900158ce0058f747ab"
    "48b6d6470c617abe9a377197b8aafb089ef1ca97f90eaa0b360148208aa6af2273de335b9969d3c0b701a8da6724a61c7ca2b5c19e24c8e5a57b"
    "b388d3d60431669b81151b452e80799ba7f047b46907ff3d",
    16,
)


def _spki(key: Any) -> bytes:
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _rsa(modulus: int) -> bytes:
    return _spki(rsa.RSAPublicNumbers(65537, modulus).public_key())


def test_the_mark_of_infineons_generator() -> None:
    assert is_roca(ROCA)
    assert "ROCA" in (key_weakness(_rsa(ROCA)) or "")
    assert not is_roca(rsa_key(2048).public_key().public_numbers().n)


@given(st.integers(2**2047, 2**2048))
def test_random_numbers_do_not_have_it(modulus: int) -> None:
    assert not is_roca(modulus)


def test_primes_side_by_side() -> None:
    prime = rsa_key(2048).private_numbers().p
    small = prod(range(3, 752, 2))
    near = next(prime + distance for distance in range(2, 2000, 2) if gcd(prime + distance, small) == 1)
    assert "next to each other" in (key_weakness(_rsa(prime * near)) or "")


def test_a_small_factor() -> None:
    modulus = 641 * (3 << 2037 | 1)
    assert modulus.bit_length() == 2048
    assert "small factor" in (key_weakness(_rsa(modulus)) or "")


@pytest.mark.parametrize("bits", [1024, 2040])
def test_short_moduli(bits: int) -> None:
    assert f"{bits} bits" in (key_weakness(_spki(rsa_key(bits).public_key())) or "")


def test_unusual_lengths_and_exponents() -> None:
    assert "whole number of octets" in (key_weakness(_spki(rsa_key(2052).public_key())) or "")
    spki = _spki(rsa_key(2048).public_key())
    one = spki.replace(b"\x02\x03\x01\x00\x01", b"\x02\x03\x00\x00\x01")
    assert "exponent 1" in (key_weakness(one) or "")


def test_an_exponent_longer_than_python_writes_numbers() -> None:
    def element(tag: int, content: bytes) -> bytes:
        return bytes((tag, 0x82)) + len(content).to_bytes(2, "big") + content

    modulus = rsa_key(2048).public_key().public_numbers().n
    key = element(0x30, element(2, b"\0" + modulus.to_bytes(256, "big")) + element(2, b"\x40" + bytes(6999)))
    rsa_algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    assert "even exponent of 55999 bits" in (key_weakness(element(0x30, rsa_algorithm + element(3, b"\0" + key))) or "")


@pytest.mark.parametrize(
    "key",
    [
        rsa_key(2048),
        *(ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())),
        ed25519.Ed25519PrivateKey.generate(),
        ed448.Ed448PrivateKey.generate(),
    ],
    ids=lambda key: type(key).__name__,
)
def test_good_keys(key: Any) -> None:
    assert key_weakness(_spki(key.public_key())) is None


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (ec.generate_private_key(ec.SECP192R1()), "secp192r1"),
        (ec.generate_private_key(ec.SECP256K1()), "secp256k1"),
        (dsa.generate_private_key(1024), "DSA key of 1024 bits"),
        (x25519.X25519PrivateKey.generate(), "x25519"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_keys_that_no_client_takes(key: Any, why: str) -> None:
    assert why in (key_weakness(_spki(key.public_key())) or "")


@pytest.mark.parametrize(
    ("kind", "length"),
    [("2b6570", 32), ("2b6571", 57), ("608648016503040311", 1312), ("608648016503040314", 32)],
    ids=["ed25519", "ed448", "ml-dsa-44", "slh-dsa"],
)
def test_keys_with_a_fixed_length(kind: str, length: int) -> None:
    algorithm = tagged(0x30, tagged(6, bytes.fromhex(kind)))
    for n_bytes, good in ((length, True), (length - 1, False), (length + 1, False), (0, False)):
        why = key_weakness(tagged(0x30, algorithm + tagged(3, b"\0" + bytes(n_bytes))))
        assert why is None if good else why is not None and f"has {n_bytes} bytes" in why
    assert "has 0 bytes" in (key_weakness(tagged(0x30, algorithm + tagged(3, b""))) or "")


@given(st.binary(max_size=100))
def test_any_bytes_have_an_answer(spki: bytes) -> None:
    assert key_weakness(spki)
