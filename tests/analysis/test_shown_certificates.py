"""What a capture shows of the certificates of a side."""

import pytest
from sessions_by_hand import CHANGE_CIPHER_SPEC, CLIENT, HANDSHAKE, SERVER, TLS13, Hand, client_hello, message, server_hello

from analyzer.analysis.shown_certificates import HIDDEN, LISTED, NONE, PART, shown_certificates
from analyzer.tls.session import Session

LEAF = bytes(range(100))
LIST = message(11, b"\0\0\x67" + b"\0\0\x64" + LEAF)


def finished(hand: Hand, role: int) -> None:
    hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
    hand.say(role, HANDSHAKE, bytes(40))


def shown(session: Session) -> tuple[int, int]:
    return shown_certificates(session, CLIENT), shown_certificates(session, SERVER)


def test_a_whole_handshake_shows_the_servers_and_that_the_client_has_none():
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, server_hello(), LIST, message(14))
    assert shown(hand.session) == (HIDDEN, LISTED)  # the client may still send one
    finished(hand, CLIENT)
    finished(hand, SERVER)
    hand.end()
    assert shown(hand.session) == (NONE, LISTED)


def test_a_list_without_its_end_is_a_part():
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, server_hello())
    hand.say(SERVER, HANDSHAKE, LIST[:60], missing=len(LIST) - 60)
    assert shown(hand.session) == (HIDDEN, PART)


def test_in_tls_1_3_they_are_encrypted():
    hand = Hand()
    hand.handshake(CLIENT, client_hello(TLS13))
    hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1"))
    for role in (SERVER, CLIENT):
        hand.say(role, 23, bytes(60))
    hand.end()
    assert shown(hand.session) == (HIDDEN, HIDDEN)


@pytest.mark.parametrize(("role", "expected"), [(SERVER, (NONE, HIDDEN)), (CLIENT, (HIDDEN, NONE))])
def test_a_gap_hides_the_side_that_lost_bytes(role: int, expected: tuple[int, int]):
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, server_hello())
    hand.gap(role, 300)
    for side in (CLIENT, SERVER):
        finished(hand, side)
    hand.end()
    assert shown(hand.session) == expected


@pytest.mark.parametrize(("reason", "expected"), [("fin", NONE), ("end", HIDDEN)])
def test_a_handshake_that_ended_before_its_certificates_shows_that_there_are_none(reason: str, expected: int):
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.end(reason)
    assert shown(hand.session) == (expected, expected)
