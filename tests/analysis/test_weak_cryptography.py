"""Weak versions, suites and key exchanges, in recordings and in sessions whose ServerHello chooses them."""

import pytest
from conversations import ended
from sessions_by_hand import CLIENT, NAMES, SERVER, Hand, client_hello, events_of, extension, message, server_hello

from analyzer.analysis.common_primes import oakley_prime
from analyzer.analysis.session_findings import session_findings
from analyzer.analysis.weak_cryptography import weak_prime, weak_resumption, weak_suite, weak_version
from analyzer.tls.suites import suite

ECDHE_RSA_AES_GCM, ECDHE_RSA_AES_CBC, RSA_AES_CBC = 0xC02F, 0xC013, 0x002F
TLS_1_0, TLS_1_2, TLS_1_3 = 0x0301, 0x0303, 0x0304
EXPORT = {"export_cipher": "medium", "mac_then_encrypt": "low", "no_forward_secrecy": "info"}


def found(version: int, number: int, etm: bool = False) -> dict[str, str]:
    """The severities of the findings about a suite by code."""
    chosen = suite(number)
    assert chosen is not None
    return {code: severity for code, severity, _ in weak_suite(version, chosen, etm)}


@pytest.mark.parametrize(
    ("version", "number", "codes"),
    [
        (TLS_1_2, ECDHE_RSA_AES_GCM, {}),
        (TLS_1_2, 0xCCA8, {}),
        (TLS_1_3, 0x1301, {}),
        (TLS_1_2, ECDHE_RSA_AES_CBC, {"mac_then_encrypt": "info"}),
        (TLS_1_0, ECDHE_RSA_AES_CBC, {"mac_then_encrypt": "low"}),
        (TLS_1_2, RSA_AES_CBC, {"mac_then_encrypt": "low", "no_forward_secrecy": "info"}),
        (TLS_1_2, 0x009C, {"no_forward_secrecy": "info"}),
        (TLS_1_2, 0xC012, {"triple_des": "info", "mac_then_encrypt": "info"}),
        (TLS_1_2, 0x000A, {"triple_des": "low", "mac_then_encrypt": "low", "no_forward_secrecy": "info"}),
        (TLS_1_2, 0xC011, {"rc4": "medium"}),
        (TLS_1_2, 0x0001, {"null_cipher": "medium"}),
        (TLS_1_3, 0xC0B4, {"null_cipher": "medium"}),
        (TLS_1_2, 0x0034, {"anonymous_key_exchange": "medium", "mac_then_encrypt": "info"}),
        (TLS_1_0, 0x0008, EXPORT),
        (TLS_1_0, 0x0009, {"weak_cipher": "medium", "mac_then_encrypt": "low", "no_forward_secrecy": "info"}),
    ],
)
def test_suites(version: int, number: int, codes: dict[str, str]):
    assert found(version, number) == codes


def test_encrypt_then_mac_repairs_cbc():
    assert found(TLS_1_2, ECDHE_RSA_AES_CBC, etm=True) == {}


def test_versions():
    assert [weak_version(number) for number in (0, TLS_1_2, TLS_1_3, 0x7F17)] == [[]] * 4
    for number, rule in ((0x0002, "RFC 6176"), (0x0300, "RFC 7568"), (TLS_1_0, "RFC 8996"), (0x0302, "RFC 8996")):
        ((code, severity, detail),) = weak_version(number)
        assert (code, severity) == ("deprecated_version", "medium")
        assert rule in detail


@pytest.mark.parametrize(
    ("bits", "severities"), [(512, ["medium"]), (1023, ["medium"]), (1024, ["low"]), (2047, ["low"]), (2048, [])]
)
def test_primes_by_their_length(bits: int, severities: list[str]):
    prime = ((1 << bits) - 1).to_bytes((bits + 7) // 8, "big")
    assert [(code, severity) for code, severity, _ in weak_prime(b"\0" + prime)] == [("weak_dh", one) for one in severities]


def test_a_prime_that_many_servers_share_is_named():
    found = weak_prime(oakley_prime(1024, 129093).to_bytes(128, "big"))
    assert [(code, severity) for code, severity, _ in found] == [("weak_dh", "low"), ("common_dh_prime", "low")]
    assert "Oakley group 2" in found[1][2]
    assert weak_prime(oakley_prime(2048, 124476).to_bytes(256, "big")) == []


def test_a_pre_shared_key_without_key_exchange_has_no_forward_secrecy():
    assert [code for code, _, _ in weak_resumption(TLS_1_3, "psk", -1)] == ["no_forward_secrecy"]
    assert (
        weak_resumption(TLS_1_3, "psk", 29) == weak_resumption(TLS_1_3, "", -1) == weak_resumption(TLS_1_2, "ticket", -1) == []
    )


# Sessions.


def session_of(answer: bytes, *more: bytes, missing: int = 0) -> dict[str, tuple[str, list[int]]]:
    """Severity and frames of the findings of a session by code."""
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.say(SERVER, 22, answer, missing=missing)
    for one in more:
        hand.handshake(SERVER, one)
    hand.end()
    return {one.code: (one.severity, one.frames) for one in session_findings(hand.session)}


def dhe(bits: int, declared: int = 0) -> bytes:
    """A ServerKeyExchange with a prime of so many bits. declared: bytes of the prime's length field, if it is wrong."""
    prime = ((1 << bits) - 1).to_bytes(bits // 8, "big")
    return message(12, (declared or len(prime)).to_bytes(2, "big") + prime + b"\0\1\2" + b"\0\1\3" + b"\4\1\0\2ab")


def test_the_answer_decides_and_its_frame_is_named():
    assert session_of(server_hello()) == {}
    assert session_of(server_hello(suite=b"\xc0\x11")) == {"rc4": ("medium", [3])}


def test_encrypt_then_mac_is_read_from_the_answer():
    assert session_of(server_hello(suite=b"\xc0\x13")) == {"mac_then_encrypt": ("info", [3])}
    assert session_of(server_hello(extension(22, b""), suite=b"\xc0\x13")) == {}


def test_compression_is_read_from_the_answer():
    plain = server_hello()
    compressed = plain[:41] + b"\1" + plain[42:]
    assert session_of(compressed) == {"tls_compression": ("info", [3])}


def test_a_short_prime_is_read_from_the_key_exchange():
    answer = server_hello(suite=b"\0\x9e")
    assert session_of(answer, dhe(1024)) == {"weak_dh": ("low", [3])}
    assert session_of(answer, dhe(512)) == {"weak_dh": ("medium", [3])}
    assert session_of(answer, dhe(2048)) == {}


def test_nothing_comes_from_a_message_that_is_not_whole():
    answer = server_hello(suite=b"\0\x9e")
    assert session_of(answer, dhe(512, declared=600)) == {}
    assert session_of(server_hello(suite=b"\xc0\x11")[:-1], missing=1) == {}


def test_the_recordings_of_modern_endpoints_have_nothing_above_info():
    modern = [name for name in NAMES if name.startswith(("tls12", "tls13", "ech", "curl"))]
    assert len(modern) > 15
    for name in modern:
        for session in ended(events_of(name)):
            assert {one.severity for one in session_findings(session) if one.code != "clock_skew"} <= {"info"}, name


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("tls10-rsa", {"deprecated_version", "mac_then_encrypt", "no_forward_secrecy"}),
        ("tls11-ecdhe-rsa", {"deprecated_version"}),
        ("tls12-rsa-key-exchange", {"no_forward_secrecy"}),
        ("tls12-dhe-rsa", set()),
    ],
)
def test_recordings(name: str, codes: set[str]):
    (session,) = ended(events_of(name))
    assert {one.code for one in session_findings(session)} >= codes
    if not codes:
        assert session_findings(session) == []
