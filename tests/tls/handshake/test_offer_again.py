"""Renegotiations by hand, with a suite that does not encrypt: their answers are compared with their own offers."""

import pytest
from offers_by_hand import GROUPS, P256, P384, VERSIONS_13, answer, extension, groups, hello
from sessions_by_hand import CHANGE_CIPHER_SPEC, CLIENT, HANDSHAKE, SERVER, Hand, message

from analyzer.tls.events import Finding

NULL, ECDHE, RSA_KEY = b"\0\x3b", b"\xc0\x2f", b"\0\x2f"
MAC = bytes(32)
FINISHED = message(20, b"f" * 12)
OURS = extension(0xFF01, b"\x0c" + b"f" * 12)
THEIRS = extension(0xFF01, b"\x18" + b"f" * 24)
CODES = {"not_offered", "faulty_answer", "unbound_renegotiation"}


def connected() -> Hand:
    """A session of TLS 1.2 without encryption, after its handshake, which has the frames 2 to 8."""
    hand = Hand()
    hand.handshake(CLIENT, hello(extension(0xFF01, b"\0"), suites=NULL + ECDHE, session=b""))
    hand.handshake(SERVER, answer(extension(0xFF01, b"\0"), suite=NULL, session=b""), message(11, b"\0\0\0"), message(14))
    hand.handshake(CLIENT, message(16, b"\0\4abcd"))
    for role in (CLIENT, SERVER):
        hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
        hand.say(role, HANDSHAKE, FINISHED + MAC)
    return hand


def again(*messages: bytes) -> list[tuple[str, list[int]]]:
    """Codes and frames of the findings about a renegotiation with these messages, from frame 9 on."""
    hand = connected()
    for one in messages:
        hand.say(SERVER if one[0] in (2, 11, 12, 13, 14) else CLIENT, HANDSHAKE, one + MAC)
    hand.end()
    return [(one.code, one.frames) for one in hand.of(Finding) if one.code in CODES]


def exchange(group: bytes, scheme: bytes = b"\4\1") -> bytes:
    return message(12, b"\3" + group + b"\x41\4" + b"P" * 64 + scheme + b"\0\4sign")


OFFER = hello(OURS, GROUPS, extension(13, b"\0\4\4\1\4\3"), suites=ECDHE, session=b"")
ANSWER = answer(THEIRS, suite=ECDHE, session=b"")


@pytest.mark.parametrize(
    ("messages", "wanted"),
    [
        ((OFFER, ANSWER, exchange(P256)), []),
        ((OFFER, answer(THEIRS, suite=RSA_KEY, session=b"")), [("not_offered", [10])]),
        ((OFFER, answer(THEIRS, extension(23, b""), suite=ECDHE, session=b"")), [("not_offered", [10])]),
        ((OFFER, answer(THEIRS, suite=ECDHE, session=b"", compression=b"\1")), [("not_offered", [10])]),
        ((OFFER, ANSWER, exchange(P384)), [("not_offered", [11])]),
        ((OFFER, ANSWER, exchange(P256, b"\2\1")), [("not_offered", [11])]),
        ((OFFER, ANSWER, exchange(P256, b"\4\3")), [("faulty_answer", [11])]),  # of ECDSA, with a suite of RSA
    ],
)
def test_answers(messages: tuple[bytes, ...], wanted: list[tuple[str, list[int]]]):
    assert again(*messages) == wanted


def test_a_session_is_not_renegotiated_to_tls_1_3():
    offer = hello(OURS, VERSIONS_13, groups(P256), suites=ECDHE + b"\x13\1", session=b"")
    chosen = answer(THEIRS, extension(43, b"\3\4"), suite=b"\x13\1", session=b"")
    assert again(offer, chosen) == [("faulty_answer", [10])]


@pytest.mark.parametrize(("scheme", "wanted"), [(b"\4\1", []), (b"\2\1", [("not_offered", [15])])])
def test_the_signature_of_a_client(scheme: bytes, wanted: list[tuple[str, list[int]]]):
    request = message(13, b"\1\1\0\2\4\1\0\0")
    certificate, verify = message(11, b"\0\0\x07\0\0\4cert"), message(15, scheme + b"\0\4sign")
    key = message(16, b"\x41\4" + b"Q" * 64)
    assert again(OFFER, ANSWER, exchange(P256), request, certificate, key, verify) == wanted


def test_without_its_offer_nothing_is_compared():
    assert again(answer(THEIRS, suite=RSA_KEY, session=b"")) == []
