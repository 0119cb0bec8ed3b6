"""Signatures by every kind of key: those that the cryptography library and OpenSSL make."""

import subprocess

import pytest
from authorities import authority, der, key
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from analyzer.x509.der import SEQUENCE, encode_object_identifier, expect
from analyzer.x509.signature import KEY_SIZE, MODULUS_BITS, load_key, verify

SIGNED = b"what was signed"


def spki(private_key) -> bytes:
    return private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def algorithm(dotted: str, parameters: bytes = b"") -> bytes:
    octets = encode_object_identifier(dotted)
    value = bytes((6, len(octets))) + octets + parameters
    return bytes((0x30, len(value))) + value


def check_all(public_key: bytes, name: bytes, signature: bytes) -> None:
    assert verify(public_key, name, signature, SIGNED) == "verified"
    assert verify(public_key, name, signature, SIGNED + b"!") == "failed"
    assert verify(public_key, name, b"", SIGNED) == "failed"
    assert verify(spki(key("another")), name, signature, SIGNED) != "verified"


@pytest.mark.parametrize("kind", ["ec", "rsa", "ed25519"])
def test_certificates_verify_with_their_own_key(kind):
    certificate = authority(kind)
    encoded = der(certificate)
    pos = encoded.find(certificate.tbs_certificate_bytes) + len(certificate.tbs_certificate_bytes)
    name = encoded[pos : expect(encoded, pos, len(encoded), SEQUENCE, "")[3]]
    assert verify(spki(key("authority", kind)), name, certificate.signature, certificate.tbs_certificate_bytes) == "verified"
    assert verify(spki(key("authority", kind)), name, certificate.signature, SIGNED) == "failed"


@pytest.mark.parametrize(
    ("dotted", "digest"),
    [
        ("1.2.840.113549.1.1.4", hashes.MD5()),
        ("1.2.840.113549.1.1.5", hashes.SHA1()),
        ("1.2.840.113549.1.1.13", hashes.SHA512()),
        ("2.16.840.1.101.3.4.3.14", hashes.SHA3_256()),
    ],
)
def test_rsa_with_its_hashes(dotted, digest):
    private_key = key("signer", "rsa")
    check_all(spki(private_key), algorithm(dotted, b"\x05\0"), private_key.sign(SIGNED, padding.PKCS1v15(), digest))


def test_dsa():
    private_key = dsa.generate_private_key(1024)
    check_all(spki(private_key), algorithm("2.16.840.1.101.3.4.3.2"), private_key.sign(SIGNED, hashes.SHA256()))


@pytest.mark.peer("openssl")
def test_pss_as_openssl_writes_its_parameters(tmp_path):
    private_key = key("signer", "rsa")
    pem, request = tmp_path / "key.pem", tmp_path / "certificate.pem"
    pem.write_bytes(private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for options in ([], ["-sigopt", "rsa_pss_saltlen:20"], ["-sigopt", "rsa_mgf1_md:sha1"]):
        subprocess.run(
            ["openssl", "req", "-x509", "-key", pem, "-subj", "/CN=pss", "-sha384", "-sigopt", "rsa_padding_mode:pss", *options,
             "-out", request],
            check=True, capture_output=True,
        )  # fmt: skip
        certificate = x509.load_pem_x509_certificate(request.read_bytes())
        encoded = der(certificate)
        signed = certificate.tbs_certificate_bytes
        pos = encoded.find(signed) + len(signed)
        name = encoded[pos : expect(encoded, pos, len(encoded), SEQUENCE, "")[3]]
        assert verify(spki(private_key), name, certificate.signature, signed) == "verified"
        assert verify(spki(private_key), name, certificate.signature, SIGNED) == "failed"
        assert verify(spki(key("another")), name, certificate.signature, signed) == "unverifiable"


def test_a_key_and_an_algorithm_of_different_kinds_are_unverifiable():
    ec_key, rsa_key = key("another"), key("signer", "rsa")
    signature = ec_key.sign(SIGNED, ec.ECDSA(hashes.SHA256()))
    assert verify(spki(rsa_key), algorithm("1.2.840.10045.4.3.2"), signature, SIGNED) == "unverifiable"
    assert verify(spki(ec_key), algorithm("1.3.101.112"), signature, SIGNED) == "unverifiable"
    assert verify(spki(ec_key), algorithm("1.2.3.4"), signature, SIGNED) == "unverifiable"
    assert verify(spki(ec_key), b"", signature, SIGNED) == "unverifiable"
    assert verify(b"", algorithm("1.2.840.10045.4.3.2"), signature, SIGNED) == "unverifiable"


def test_what_is_too_long_for_a_key_is_not_read():
    whole = spki(key("another"))
    assert load_key(whole) is not None
    assert load_key(whole + bytes(KEY_SIZE)) is None


def test_a_very_large_key_is_not_used():
    numbers = rsa.RSAPublicNumbers(65537, (1 << MODULUS_BITS) + 1)
    giant = numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert verify(giant, algorithm("1.2.840.113549.1.1.11", b"\x05\0"), bytes(2049), SIGNED) == "unverifiable"


@pytest.mark.parametrize(("exponent", "check"), [((1 << 63) | 1, "failed"), ((1 << 64) | 1, "unverifiable")])
def test_an_exponent_that_makes_checks_slow_is_not_used(exponent, check):
    slow = rsa.RSAPublicNumbers(exponent, key("signer", "rsa").public_key().public_numbers().n).public_key()
    public_key = slow.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert verify(public_key, algorithm("1.2.840.113549.1.1.11", b"\x05\0"), bytes(256), SIGNED) == check
