"""Values of key exchanges that a peer must refuse, each beside one that it may accept."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from analyzer.codec.errors import Malformed
from analyzer.codec.runner import read
from analyzer.tls.handshake import exchange_rules
from analyzer.tls.handshake.exchange_rules import (
    FFDHE,
    client_exchange,
    ffdhe_prime,
    field_key,
    is_probable_prime,
    modulus_faults,
    rolled_back,
    server_exchange,
    share_key,
    weak_hash,
)
from analyzer.tls.messages.key_exchange_tables import DHClientKeyExchange, DHEServerKeyExchange12, ECDHEServerKeyExchange12
from analyzer.tls.suites import suite

PRIME = (1 << 521) - 1
MODULUS = PRIME.to_bytes(66, "big")
SIGNED = b"\4\1\0\3sig"


def body(table, content: bytes):
    message, problems = read(table, content, 0, len(content), 0, Malformed)
    assert problems == []
    return message


def opaque(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def dhe(modulus: bytes, public: bytes, signed: bytes = SIGNED):
    return body(DHEServerKeyExchange12, opaque(modulus) + opaque(b"\2") + opaque(public) + signed)


def codes(found: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
    return [(code, severity) for code, severity, _ in found]


def test_a_sound_exchange_of_a_finite_field():
    assert server_exchange(dhe(MODULUS, b"\x12" * 60)) == []
    assert client_exchange(body(DHClientKeyExchange, opaque(b"\x12" * 60)), MODULUS) == []


@pytest.mark.parametrize(
    ("modulus", "why"),
    [
        ((PRIME + 1).to_bytes(66, "big"), "it is even"),
        ((PRIME * 7).to_bytes(67, "big"), "it is divisible by 7"),
        ((PRIME * ((1 << 61) - 1)).to_bytes(80, "big"), "it is composite"),
        (b"\1", "it is under 2"),
    ],
)
def test_a_modulus_that_is_no_prime(modulus: bytes, why: str):
    for _ in range(2):  # the second time from memory
        [(code, severity, detail)] = modulus_faults(modulus)
        assert (code, severity, detail.rpartition(": ")[2]) == ("dh_modulus_no_prime", "medium", why)
    assert server_exchange(dhe(modulus, b"\x12"))[0][0] == "dh_modulus_no_prime"


def test_nothing_is_said_of_a_modulus_that_is_not_tested(monkeypatch: pytest.MonkeyPatch):
    composite = (PRIME * ((1 << 89) - 1)).to_bytes(80, "big")
    monkeypatch.setattr(exchange_rules, "MAX_TESTED", 0)
    assert modulus_faults(composite) == []
    monkeypatch.setattr(exchange_rules, "MAX_TESTED", 1000)
    monkeypatch.setattr(exchange_rules, "MAX_PRIME_BITS", 100)
    assert modulus_faults(composite) == []
    monkeypatch.setattr(exchange_rules, "MAX_PRIME_BITS", 4096)
    assert codes(modulus_faults(composite)) == [("dh_modulus_no_prime", "medium")]


def test_primes_pass_and_composites_do_not():
    primes = [number for number in range(3, 400, 2) if all(number % one for one in range(3, int(number**0.5) + 1, 2))]
    assert [number for number in range(3, 400, 2) if is_probable_prime(number)] == primes


@pytest.mark.parametrize(
    ("public", "value"),
    [(b"\0", "0"), (b"\1", "1"), ((PRIME - 1).to_bytes(66, "big"), "p-1"), (MODULUS, "no number under the prime")],
)
def test_a_public_key_of_a_finite_field_that_everybody_can_use(public: bytes, value: str):
    [(code, severity, detail)] = server_exchange(dhe(MODULUS, public))
    assert (code, severity) == ("invalid_public_key", "medium")
    assert detail == f"the server's Diffie-Hellman public key is {value}: everybody knows the secret"
    assert codes(client_exchange(body(DHClientKeyExchange, opaque(public)), MODULUS)) == [("invalid_public_key", "medium")]
    assert client_exchange(body(DHClientKeyExchange, opaque(public)), b"") == []
    assert field_key("client", (PRIME - 2).to_bytes(66, "big"), MODULUS) == []


@pytest.mark.parametrize(
    ("group", "curve"), [(23, ec.SECP256R1()), (24, ec.SECP384R1()), (25, ec.SECP521R1()), (0x11EB, ec.SECP256R1())]
)
def test_a_point_has_to_be_on_its_curve(group: int, curve: ec.EllipticCurve):
    public = ec.generate_private_key(curve).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert share_key("server", group, public) == []
    for wrong in (public[:-1] + bytes([public[-1] ^ 1]), b"\2" + public[1:], public[:-1], b"\4" + b"\xff" * (len(public) - 1)):
        assert codes(share_key("server", group, wrong)) == [("invalid_public_key", "medium")]


@pytest.mark.parametrize(
    ("group", "key"), [(29, x25519.X25519PrivateKey), (0x11EC, x25519.X25519PrivateKey), (30, x448.X448PrivateKey)]
)
def test_coordinates_of_small_order(group: int, key):
    public = key.generate().public_key().public_bytes_raw()
    assert share_key("client", group, public) == []
    zero, one = bytes(len(public)), b"\1".ljust(len(public), b"\0")
    for wrong in (zero, one, public[:-1]):
        assert codes(share_key("client", group, wrong)) == [("invalid_public_key", "medium")]
    assert "all-zero" in share_key("client", group, zero)[0][2]


@pytest.mark.parametrize("public", sorted(exchange_rules._ZERO_PRODUCT), ids=bytes.hex)
def test_the_library_refuses_the_same_keys_of_small_order(public: bytes):
    group = 29 if len(public) == 32 else 30
    assert codes(share_key("server", group, public)) == [("invalid_public_key", "medium")]
    if group == 29:
        ours, theirs = x25519.X25519PrivateKey.generate(), x25519.X25519PublicKey.from_public_bytes(public)
    else:
        ours, theirs = x448.X448PrivateKey.generate(), x448.X448PublicKey.from_public_bytes(public)
    with pytest.raises(ValueError, match="shared key"):
        ours.exchange(theirs)


def test_the_ways_to_write_a_coordinate_of_small_order():
    prime = (1 << 255) - 19
    for value in (0, 1, prime - 1, prime, prime + 1):
        for high in (0, 1 << 255):  # the highest bit is ignored
            assert share_key("server", 29, (value | high).to_bytes(32, "little"))
    prime = (1 << 448) - (1 << 224) - 1
    for value in (0, 1, prime - 1, prime, prime + 1):
        assert share_key("server", 30, value.to_bytes(56, "little"))


def test_other_groups_and_those_of_rfc_7919():
    assert share_key("server", 26, b"\4" + bytes(64)) == []
    assert share_key("server", 256, bytes(255) + b"\2") == []
    assert codes(share_key("server", 256, bytes(255) + b"\1")) == [("invalid_public_key", "medium")]


@pytest.mark.parametrize("group", FFDHE)
def test_key_shares_of_finite_fields(group: int):
    prime = ffdhe_prime(group)
    number, size = int.from_bytes(prime, "big"), len(prime)
    assert is_probable_prime(number)
    assert is_probable_prime((number - 1) // 2)
    for key in (2, number // 2, number - 2):
        assert share_key("client", group, key.to_bytes(size, "big")) == []
    for key in (0, 1, number - 1, number, number + 1):
        assert codes(share_key("client", group, key.to_bytes(size, "big"))) == [("invalid_public_key", "medium")]
    assert "has 2 bytes" in share_key("client", group, b"\1\0")[0][2]


def test_the_prime_is_that_of_rfc_7919():
    assert ffdhe_prime(256).hex()[16:32] == "adf85458a2bb4a9a"
    assert ffdhe_prime(256).hex()[-32:-16] == "886b423861285c97"


def test_an_explicit_curve():
    named = b"\3\0\x17" + b"\x05\4abcd" + SIGNED
    curve = b"\1" + b"".join(b"\1" + one for one in (b"p", b"a", b"b", b"g", b"n", b"h")) + b"\2\4x" + SIGNED
    assert server_exchange(body(ECDHEServerKeyExchange12, named)) == []
    assert codes(server_exchange(body(ECDHEServerKeyExchange12, curve))) == [("explicit_curve", "medium")]


@pytest.mark.parametrize(
    ("scheme", "wanted"),
    [(0x0101, ["medium"]), (0x0201, ["low"]), (0x0203, ["low"]), (0x0401, []), (0x0804, []), (0x0A0A, []), (0x0220, [])],
)
def test_hashes_that_must_not_sign(scheme: int, wanted: list[str]):
    assert [severity for _, severity, _ in weak_hash("client", "CertificateVerify", scheme)] == wanted
    signed = scheme.to_bytes(2, "big") + b"\0\3sig"
    assert [severity for _, severity, _ in server_exchange(dhe(MODULUS, b"\x12" * 60, signed))] == wanted


@pytest.mark.parametrize(
    ("name", "premasters", "offered", "version", "wanted"),
    [
        (0x002F, [b"\3\3secret"], 0x0303, 0x0303, []),
        (0x002F, [b"\3\1secret"], 0x0303, 0x0303, ["medium"]),
        (0x002F, [b"\3\1secret"], 0x0303, 0x0301, ["low"]),
        (0x002F, [b"\3\1secret", b"\3\3secret"], 0x0303, 0x0303, []),
        (0x002F, [b"\3\1secret"], 0, 0x0303, []),
        (0x002F, [], 0x0303, 0x0303, []),
        (0x008C, [b"\0\3secret"], 0x0303, 0x0303, []),
    ],
)
def test_the_version_in_a_premaster_secret(name: int, premasters: list[bytes], offered: int, version: int, wanted: list[str]):
    found = rolled_back(suite(name), premasters, offered, version)
    assert [severity for _, severity, _ in found] == wanted
    assert rolled_back(None, premasters, offered, version) == []
