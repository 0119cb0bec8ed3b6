"""What protects the keys of sessions from quantum computers, of hellos by hand and of recorded sessions."""

import pytest
from offers_by_hand import ASKED, GROUPS, KEYS, MODES, SHARES, VERSIONS_13, groups, hello, share
from sessions_by_hand import CLIENT, RETRY_RANDOM, SERVER, TLS13, Hand, events_of, extension, server_hello

from analyzer.analysis.key_exchange_class import key_exchange_class, post_quantum_answer
from analyzer.tls.events import SessionEnded

HYBRID = b"\x11\xec"
OFFERED = groups(HYBRID, b"\0\x1d")


def classified(offer: bytes | None, answer: bytes | None) -> tuple[str, str]:
    hand = Hand()
    if offer is not None:
        hand.handshake(CLIENT, offer)
    if answer is not None:
        hand.handshake(SERVER, answer)
    hand.end()
    kind = key_exchange_class(hand.session)
    return kind, post_quantum_answer(hand.session, kind)


def client(*extensions: bytes) -> bytes:
    return hello(VERSIONS_13, *extensions, suites=b"\x13\1\xc0\x2f\0\x2f\0\x3b\0\xa8")


def server(*extensions: bytes, suite: bytes = b"\x13\1") -> bytes:
    return server_hello(*extensions, suite=suite)


CHOSEN = extension(51, share(b"\0\x1d"))
KEY = extension(41, b"\0\0")


@pytest.mark.parametrize(
    ("offer", "answer", "expected"),
    [
        (client(OFFERED, SHARES), server(TLS13, CHOSEN), ("classical", "refused")),
        (client(OFFERED, SHARES), server(suite=b"\xc0\x2f"), ("classical", "refused")),
        (client(GROUPS, SHARES), server(TLS13, CHOSEN), ("classical", "not_offered")),
        (client(OFFERED), server(TLS13, extension(51, share(HYBRID, b"K" * 1120))), ("hybrid", "accepted")),
        (client(groups(b"\2\1")), server(TLS13, extension(51, share(b"\2\1"))), ("post_quantum", "accepted")),
        (client(GROUPS, SHARES, MODES, KEYS), server(TLS13, CHOSEN, KEY), ("classical_with_psk", "not_offered")),
        (client(OFFERED, SHARES, MODES, KEYS), server(TLS13, KEY), ("psk", "unknown")),
        (client(GROUPS), server(suite=b"\0\x2f"), ("classical", "not_offered")),
        (client(GROUPS), server(suite=b"\0\x3b"), ("plaintext", "not_offered")),
        (client(GROUPS), server(suite=b"\0\xa8"), ("psk", "not_offered")),
        (client(OFFERED, SHARES), None, ("unknown", "unknown")),
        (client(GROUPS, SHARES), None, ("unknown", "not_offered")),
        (None, server(TLS13, CHOSEN), ("classical", "unknown")),
        (client(OFFERED)[:-4], server(TLS13, CHOSEN), ("classical", "unknown")),
    ],
)
def test_hellos_by_hand(offer: bytes | None, answer: bytes | None, expected: tuple[str, str]):
    assert classified(offer, answer) == expected


def test_a_retry_alone_is_no_key_exchange():
    retry = server_hello(TLS13, ASKED, suite=b"\x13\1", random=RETRY_RANDOM)
    assert classified(client(OFFERED, SHARES), retry) == ("unknown", "unknown")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tls13-x25519mlkem768", "hybrid"),
        ("tls13-x25519", "classical"),
        ("tls12-rsa-key-exchange", "classical"),
        ("tls13-hello-retry-request", "classical"),
        ("tls13-external-psk", "hybrid"),
    ],
)
def test_recorded_sessions(name: str, expected: str):
    assert set(recorded(name)) == {expected}


@pytest.mark.parametrize("name", ["tls12-session-id-resumption", "tls12-ticket-resumption"])
def test_a_resumed_session_has_no_key_exchange_of_its_own(name: str):
    assert recorded(name) == ["classical", "classical_with_psk"]


def recorded(name: str) -> list[str]:
    return [key_exchange_class(event.ended) for event in events_of(name) if isinstance(event, SessionEnded)]
