"""Fields found in certificates and raw public keys that real libraries wrote."""

import hashlib
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from analyzer.codec.errors import Anomaly, Malformed
from analyzer.x509.certificate import certificate
from analyzer.x509.der import OCTET_STRING
from analyzer.x509.layout import OPTIONAL_FIELDS, Layout, extension_places, extension_value, is_true

from .making import NAME, make, raw

KEYS = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "ec": ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ed448": ed448.Ed448PrivateKey.generate(),
    "x25519": x25519.X25519PrivateKey.generate(),
    "x448": x448.X448PrivateKey.generate(),
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_raw_public_key_is_distinguished_from_a_certificate(kind: str) -> None:
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


def test_a_raw_public_key_with_more_bytes_or_truncated() -> None:
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
def test_unknown_elements_after_the_key_leave_it_sound(behind: bytes) -> None:
    layout = Layout(_with_behind(behind))
    assert layout.sound
    assert [layout.der[at] for at, _ in layout.behind] == [element[0] for _, element in layout.behind]
    assert layout.whole == (len(layout.behind) < OPTIONAL_FIELDS)


def test_truncated_or_unreadable_fields_are_not_sound() -> None:
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


def test_extensions_are_found_one_by_one() -> None:
    der = make(raw("1.2.3", b"one"), x509.BasicConstraints(True, 1), critical=True)
    _, start, end, _ = Layout(der).found["extensions"]
    places = list(extension_places(der, start, end))
    assert [der[first:last] for _, _, (_, first, last, _) in places] == [b"\x2a\x03", b"\x55\x1d\x13"]
    assert b"".join(der[at : extension[3]] for at, extension, _ in places) == der[start + 2 : end]
    for (_, extension, (_, _, _, pos)), inside in zip(places, (b"one", bytes.fromhex("30060101ff020101")), strict=True):
        critical, (tag, first, last, after) = extension_value(der, pos, extension[2], "extnValue")
        assert critical is not None
        assert is_true(der, critical)
        assert (tag, der[first:last], after) == (OCTET_STRING, inside, extension[2])


def test_only_extensions_beyond_the_limit_are_reported() -> None:
    extensions = b"\x30\x0c" + b"\x30\x04\x06\x00\x04\x00" * 2
    assert len(list(extension_places(extensions, 0, 14, 2))) == 2
    found = extension_places(extensions, 0, 14, 1)
    next(found)
    with pytest.raises(Anomaly, match=r"extensions at 0x8: extensions after 1 are not read"):
        next(found)


@pytest.mark.parametrize(
    ("extensions", "told"),
    [
        ("3102" + "3000", "extensions at 0x0: tag 0x31, not 0x30"),
        ("3002" + "0500", "an Extension at 0x2: tag 0x05, not 0x30"),
        ("3004" + "3002" + "0500", "its identifier at 0x4: tag 0x05, not 0x06"),
        ("3004" + "3005" + "0600", "an Extension at 0x2: length 5, but 2 bytes left"),
    ],
)
def test_parse_errors_of_extensions_name_the_field(extensions: str, told: str) -> None:
    der = bytes.fromhex(extensions)
    with pytest.raises(Malformed) as caught:
        list(extension_places(der, 0, len(der), fields=("an Extension", "its identifier")))
    assert str(caught.value) == told


def test_an_element_in_place_of_a_value_is_returned_with_any_tag() -> None:
    der = bytes.fromhex("010100" + "0500")
    critical, value = extension_value(der, 0, len(der), "extnValue")
    assert critical is not None
    assert not is_true(der, critical)
    assert value == (0x05, 5, 5, 5)
    assert extension_value(der, 3, len(der), "extnValue") == (None, value)
    with pytest.raises(Malformed, match="extnValue at 0x3: 0 bytes are no element"):
        extension_value(der, 0, 3, "extnValue")


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
