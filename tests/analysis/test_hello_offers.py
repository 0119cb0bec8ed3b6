"""Post-quantum groups and Encrypted Client Hello, in recordings of real endpoints."""

import pytest
from conversations import ended
from sessions_by_hand import CLIENT, SERVER, Hand, client_hello, events_of, extension, server_hello

from analyzer.analysis.hello_offers import encrypted_hello, post_quantum
from analyzer.analysis.session_findings import session_findings

X25519, HYBRID = 0x001D, 0x11EC


def codes(name: str, keyed: bool = True) -> set[tuple[str, str]]:
    return {(one.code, one.severity) for session in ended(events_of(name, keyed)) for one in session_findings(session)}


@pytest.mark.parametrize("name", ["ech-accepted", "ech-hello-retry-request"])
def test_an_accepted_encrypted_hello_needs_secrets_to_be_seen(name: str):
    assert ("ech_accepted", "info") in codes(name)
    assert ("ech_offered", "info") in codes(name, keyed=False)


def test_a_rejected_encrypted_hello_is_an_offer():
    found = codes("ech-rejected")
    assert ("ech_offered", "info") in found
    assert not any(code == "ech_accepted" for code, _ in found)


def test_a_client_without_an_encrypted_hello_has_no_finding():
    assert not any(code.startswith("ech") for code, _ in codes("tls13-rsa"))
    assert encrypted_hello("") == []


def test_a_hybrid_group_is_accepted():
    assert ("post_quantum_accepted", "info") in codes("tls13-x25519mlkem768")
    assert not any(code.startswith("post_quantum") for code, _ in codes("tls13-x25519"))


def test_a_hybrid_group_is_offered_and_another_is_used():
    hand = Hand()
    hand.handshake(CLIENT, client_hello(extension(10, b"\0\4\x11\xec\0\x1d")))
    hand.handshake(SERVER, server_hello(extension(51, b"\0\x1d\0\x20" + bytes(32)), extension(43, b"\3\4"), suite=b"\x13\1"))
    hand.end()
    (found,) = session_findings(hand.session)
    assert (found.code, found.severity, found.frames) == ("post_quantum_offered", "info", [2])
    assert found.detail == "the client offers X25519MLKEM768; they use x25519"


def test_each_group_is_named_once():
    assert post_quantum((HYBRID, X25519, HYBRID), -1) == [("post_quantum_offered", "info", "the client offers X25519MLKEM768")]
    assert post_quantum((X25519,), X25519) == []
