"""Handshakes whose key exchange is checked when they end: findings with their frames, and handshakes without any."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sessions_by_hand import (
    CHANGE_CIPHER_SPEC,
    CLIENT,
    HANDSHAKE,
    SERVER,
    TLS13,
    Hand,
    client_hello,
    extension,
    message,
    server_hello,
)

from analyzer.tls.events import Finding

CODES = {"dh_modulus_no_prime", "explicit_curve", "invalid_public_key", "rsa_version_rollback", "weak_signature_hash"}
POINT = ec.derive_private_key(7, ec.SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
COORDINATE = x25519.X25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes_raw()
OFF = POINT[:-1] + bytes([POINT[-1] ^ 1])
PRIME = (1 << 521) - 1
MODULUS = PRIME.to_bytes(66, "big")
CERT, DONE = message(11, b"\0\0\7\0\0\4cert"), message(14)


def faults(hand: Hand) -> list[tuple[str, str, list[int]]]:
    return [(one.code, one.severity, one.frames) for one in hand.of(Finding) if one.code in CODES]


def opaque(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def ecdhe(point: bytes, scheme: bytes = b"\4\3") -> bytes:
    return message(12, b"\3\0\x17" + bytes([len(point)]) + point + scheme + b"\0\3sig")


def dhe(modulus: bytes, public: bytes) -> bytes:
    return message(12, opaque(modulus) + opaque(b"\2") + opaque(public) + b"\4\1\0\3sig")


def talk_12(server: bytes, client: bytes, suite: bytes = b"\xc0\x2b", more: tuple[bytes, ...] = ()) -> Hand:
    """A handshake of TLS 1.2 without secrets: the ServerKeyExchange is in frame 4, the ClientKeyExchange in frame 5."""
    hand = Hand()
    hand.handshake(CLIENT, client_hello(suites=suite))
    hand.handshake(SERVER, server_hello(suite=suite))
    hand.handshake(SERVER, CERT, server, DONE)
    for one in (message(16, client), *more):
        hand.handshake(CLIENT, one)
    for role in (CLIENT, SERVER):
        hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
        hand.say(role, HANDSHAKE, bytes(40))
    hand.end()
    return hand


@pytest.mark.parametrize(
    ("server", "client", "wanted"),
    [
        (ecdhe(POINT), b"\x41" + POINT, []),
        (ecdhe(OFF), b"\x41" + POINT, [("invalid_public_key", "medium", [4])]),
        (ecdhe(POINT), b"\x41" + OFF, [("invalid_public_key", "medium", [5])]),
        (ecdhe(POINT, b"\2\3"), b"\x41" + POINT, [("weak_signature_hash", "low", [4])]),
        (ecdhe(POINT, b"\1\3"), b"\x41" + POINT, [("weak_signature_hash", "medium", [4])]),
    ],
)
def test_a_curve_in_tls_1_2(server: bytes, client: bytes, wanted):
    assert faults(talk_12(server, client)) == wanted


@pytest.mark.parametrize(
    ("server", "client", "wanted"),
    [
        (dhe(MODULUS, b"\x12" * 60), b"\x13" * 60, []),
        (dhe(MODULUS + b"\0", b"\x12" * 60), b"\x13" * 60, [("dh_modulus_no_prime", "medium", [4])]),
        (dhe(MODULUS, b"\1"), b"\x13" * 60, [("invalid_public_key", "medium", [4])]),
        (dhe(MODULUS, b"\x12" * 60), (PRIME - 1).to_bytes(66, "big"), [("invalid_public_key", "medium", [5])]),
    ],
)
def test_a_finite_field_in_tls_1_2(server: bytes, client: bytes, wanted):
    assert faults(talk_12(server, opaque(client), b"\0\x9e")) == wanted


@pytest.mark.parametrize(("scheme", "wanted"), [(b"\4\1", []), (b"\2\1", [("weak_signature_hash", "low", [6])])])
def test_the_signature_of_a_client(scheme: bytes, wanted):
    hand = talk_12(ecdhe(POINT), b"\x41" + POINT, more=(message(15, scheme + b"\0\3sig"),))
    assert faults(hand) == wanted


def test_what_is_cut_is_not_checked():
    hand = Hand()
    hand.handshake(CLIENT, client_hello(suites=b"\xc0\x2b"))
    hand.handshake(SERVER, server_hello(suite=b"\xc0\x2b"))
    whole = ecdhe(OFF)
    hand.say(SERVER, HANDSHAKE, whole[:40], missing=len(whole) - 40)
    hand.end()
    assert faults(hand) == []


def share(group: int, public: bytes) -> bytes:
    return group.to_bytes(2, "big") + opaque(public)


@pytest.mark.parametrize(
    ("offered", "chosen", "wanted"),
    [
        ([share(29, COORDINATE)], share(29, COORDINATE), []),
        ([share(29, COORDINATE)], share(29, bytes(32)), [("invalid_public_key", "medium", [3])]),
        ([share(29, bytes(32)), share(23, POINT)], share(29, COORDINATE), [("invalid_public_key", "medium", [2])]),
        ([share(29, COORDINATE), share(23, POINT)], share(23, OFF), [("invalid_public_key", "medium", [3])]),
        ([share(29, COORDINATE), share(23, OFF)], share(23, POINT), [("invalid_public_key", "medium", [2])]),
        ([share(23, OFF)], share(29, COORDINATE), []),
        ([share(26, OFF), share(23, POINT)], share(23, POINT), []),
    ],
)
def test_key_shares_of_tls_1_3(offered: list[bytes], chosen: bytes, wanted):
    hand = Hand()
    hand.handshake(CLIENT, client_hello(TLS13, extension(51, opaque(b"".join(offered))), suites=b"\x13\1"))
    hand.handshake(SERVER, server_hello(TLS13, extension(51, chosen), suite=b"\x13\1"))
    hand.end()
    assert faults(hand) == wanted
