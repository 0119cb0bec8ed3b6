"""Keys of every kind, compared with the numbers of the libraries that made them."""

import hashlib
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from analyzer.x509.der import encode_object_identifier
from analyzer.x509.details import certificate_details
from analyzer.x509.key_details import KEY_LENGTHS


def spki(key: object) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def tlv(tag: int, *values: bytes) -> bytes:
    value = b"".join(values)
    length = bytes([len(value)]) if len(value) < 0x80 else b"\x82" + len(value).to_bytes(2, "big")
    return bytes([tag]) + length + value


def identifier(dotted: str) -> bytes:
    return tlv(6, encode_object_identifier(dotted))


def test_rsa() -> None:
    key = rsa.generate_private_key(65537, 2048)
    details = certificate_details(spki(key))["public_key"]
    numbers = key.public_key().public_numbers()
    assert (details["type"], details["bits"], details["exponent"]) == ("rsa", 2048, 65537)
    assert int(details["modulus"], 16) == numbers.n
    assert details["sha256"] == hashlib.sha256(spki(key)).hexdigest()


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1(), ec.BrainpoolP256R1(), ec.SECP256K1()])
def test_ec(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    details = certificate_details(spki(key))["public_key"]
    assert (details["type"], details["curve"]) == ("ec", curve.name)
    assert details["key"] == key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()


@pytest.mark.parametrize(
    "module", [ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey, x25519.X25519PrivateKey, x448.X448PrivateKey]
)
def test_keys_of_one_length(module: type) -> None:
    key = module.generate()
    details = certificate_details(spki(key))
    assert details["public_key"]["key"] == key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    assert details["problems"] == []


@pytest.mark.parametrize("kind", [name for name in KEY_LENGTHS if "-" in name])
def test_post_quantum_keys_have_one_length(kind: str) -> None:
    from analyzer.x509.object_identifiers import names

    octets = next(octets for octets, name in names("public_key").items() if name == kind)
    for length in (KEY_LENGTHS[kind], KEY_LENGTHS[kind] - 1):
        details = certificate_details(tlv(0x30, tlv(0x30, tlv(6, octets)), tlv(3, bytes(1 + length))))
        assert details["public_key"]["type"] == kind
        whys = [problem["detail"] for problem in details["problems"]]
        wrong = f"{length} bytes, but a key of type {kind} has {KEY_LENGTHS[kind]}"
        assert whys == ([] if length == KEY_LENGTHS[kind] else [wrong])


def test_ml_dsa_of_a_library() -> None:
    mldsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    details = certificate_details(spki(mldsa.MLDSA65PrivateKey.generate()))
    assert details["public_key"]["type"] == "ml-dsa-65"
    assert details["problems"] == []


def test_dsa() -> None:
    key = dsa.generate_private_key(1024)
    numbers = key.public_key().public_numbers()
    details = certificate_details(spki(key))["public_key"]
    found = [int(details[part], 16) for part in ("prime", "subgroup", "generator", "key")]
    assert found == [numbers.parameter_numbers.p, numbers.parameter_numbers.q, numbers.parameter_numbers.g, numbers.y]


@pytest.mark.peer("openssl")
def test_rsa_bound_to_pss() -> None:
    options = ["rsa_keygen_bits:2048", "rsa_pss_keygen_md:sha256", "rsa_pss_keygen_mgf1_md:sha256", "rsa_pss_keygen_saltlen:32"]
    command = ["openssl", "genpkey", "-algorithm", "RSA-PSS", *(part for option in options for part in ("-pkeyopt", option))]
    private = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    key = subprocess.run(
        ["openssl", "pkey", "-pubout", "-outform", "DER"], input=private, check=True, capture_output=True
    ).stdout
    details = certificate_details(key)["public_key"]
    assert (details["type"], details["bits"]) == ("rsassa-pss", 2048)
    assert details["parameters"] == {"hash": "sha256", "mask": "mgf1", "mask_hash": "sha256", "salt_length": 32}


@pytest.mark.parametrize(
    ("kind", "dotted", "parameters", "digest"),
    [
        ("gost2012_256", "1.2.643.7.1.1.1.1", ("1.2.643.7.1.2.1.1.1", "tc26-gost-3410-2012-256-A"), "gostR3411-2012-256"),
        ("gost2001", "1.2.643.2.2.19", ("1.2.643.2.2.35.1", "CryptoPro-A"), "gostR3411-94"),
    ],
)
def test_gost(kind: str, dotted: str, parameters: tuple[str, str], digest: str) -> None:
    hashes = {"gostR3411-2012-256": "1.2.643.7.1.1.2.2", "gostR3411-94": "1.2.643.2.2.9"}
    algorithm = tlv(0x30, identifier(dotted), tlv(0x30, identifier(parameters[0]), identifier(hashes[digest])))
    details = certificate_details(tlv(0x30, algorithm, tlv(3, b"\0", tlv(4, b"k" * 64))))["public_key"]
    assert (details["type"], details["parameters"], details["hash"]) == (kind, parameters[1], digest)
    assert details["key"] == (b"k" * 64).hex()
