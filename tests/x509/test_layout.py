"""Fields found in certificates and raw public keys that real libraries wrote."""

import hashlib
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from analyzer.x509.certificate import certificate
from analyzer.x509.layout import OPTIONAL_FIELDS, Layout

from .making import NAME, make

KEYS = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "ec": ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ed448": ed448.Ed448PrivateKey.generate(),
    "x25519": x25519.X25519PrivateKey.generate(),
    "x448": x448.X448PrivateKey.generate(),
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_raw_public_key_is_told_from_a_certificate(kind: str) -> None:
    spki = KEYS[kind].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    layout = Layout(spki)
    assert layout.raw_public_key
    assert (layout.key, layout.problems) == ((0, len(spki)), [])
    read = certificate(spki)
    assert read.type == "raw_public_key"
    assert read.public_key is not None
    assert read.public_key.type == kind
    assert read.sha256 == hashlib.sha256(spki).hexdigest()
    assert (read.subject, read.serial, read.subject_alt_names, read.problems) == (None, None, None, ())


def test_a_raw_public_key_with_more_behind_it_or_cut() -> None:
    spki = KEYS["ec"].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert [str(problem) for problem in certificate(spki + b"x").problems] == [
        f"SubjectPublicKeyInfo at 0x{len(spki):x}: 1 bytes follow it"
    ]
    for n in range(8, len(spki)):
        read = certificate(spki[:n])
        assert read.type == "raw_public_key"
        assert read.problems


def test_the_key_is_where_a_library_finds_it() -> None:
    key = KEYS["ec"]
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "here")])
    der = (
        x509.CertificateBuilder(
            name, name, key.public_key(), 7, datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
        )
        .add_extension(x509.BasicConstraints(True, 1), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    layout = Layout(der)
    assert not layout.raw_public_key
    assert layout.key is not None
    start, end = layout.key
    assert der[start:end] == key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert set(layout.found) == {
        "version", "serialNumber", "signature", "issuer", "validity", "subject", "subjectPublicKeyInfo", "extensions",
        "signatureAlgorithm", "signatureValue",
    }  # fmt: skip
    assert layout.whole
    assert layout.sound


def test_fields_follow_each_other_and_fill_what_is_signed() -> None:
    der = make(x509.BasicConstraints(True, 1))
    layout = Layout(der)
    assert layout.signed is not None
    at, (_, start, end, after) = layout.signed
    assert der[at:after] == x509.load_der_x509_certificate(der).tbs_certificate_bytes
    found = layout.found
    ((extensions_at, extensions),) = layout.behind
    assert extensions == found["extensions"]
    encodings = [der[start : found["version"][3]]]
    names = ["version", "serialNumber", "signature", "issuer", "validity", "subject", "subjectPublicKeyInfo"]
    encodings += [der[found[one][3] : found[other][3]] for one, other in pairwise(names)]
    assert encodings[3] == encodings[5] == NAME.public_bytes()
    assert b"".join(encodings) + der[extensions_at : extensions[3]] == der[start:end]


@pytest.mark.parametrize("behind", [b"\x82\x01\0", b"\x82\x01\0" * (OPTIONAL_FIELDS + 1), b"\x05\0", b""])
def test_what_is_not_known_behind_the_key_leaves_it_sound(behind: bytes) -> None:
    layout = Layout(_with_behind(behind))
    assert layout.sound
    assert [layout.der[at] for at, _ in layout.behind] == [element[0] for _, element in layout.behind]
    assert layout.whole == (len(layout.behind) < OPTIONAL_FIELDS)


def test_what_is_cut_or_unreadable_is_not_sound() -> None:
    der = make(x509.BasicConstraints(True, 1))
    for n in range(len(der)):
        layout = Layout(der[:n])
        assert not layout.sound
        assert layout.signed is None
    assert Layout(der + b"more").sound
    damaged = Layout(_with_behind(b"\x82"))
    assert damaged.signed is not None
    assert not damaged.sound
    assert "signatureValue" in damaged.found


def _with_behind(behind: bytes) -> bytes:
    """A certificate with these octets in place of its extensions."""
    der = make()
    layout = Layout(der)
    assert layout.key is not None
    tbs = der[layout.found["version"][1] - 2 : layout.key[1]] + behind
    assert layout.signed is not None
    rest = der[layout.signed[1][3] :]
    body = b"\x30\x82" + len(tbs).to_bytes(2, "big") + tbs + rest
    return b"\x30\x82" + len(body).to_bytes(2, "big") + body
