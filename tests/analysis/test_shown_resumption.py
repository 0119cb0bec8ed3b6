"""Whether a session is resumed, as far as the capture shows it."""

import pytest
from sessions_by_hand import CHANGE_CIPHER_SPEC, CLIENT, HANDSHAKE, SERVER, TLS13, Hand, client_hello, message, server_hello

from analyzer.analysis.shown_resumption import is_resumed


def test_without_an_answer_it_is_not_known():
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    assert is_resumed(hand.session) is None


def test_a_message_of_a_full_handshake_shows_that_it_is_none():
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, server_hello())
    assert is_resumed(hand.session) is None
    hand.handshake(SERVER, message(14))
    assert is_resumed(hand.session) is False


@pytest.mark.parametrize(("lost", "resumed"), [(0, True), (100, None)])
def test_a_change_of_ciphers_behind_the_answer_shows_it_if_nothing_is_missing(lost: int, resumed: bool | None):
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, server_hello())
    if lost:
        hand.gap(SERVER, lost)
    hand.say(SERVER, CHANGE_CIPHER_SPEC, b"\1")
    hand.say(SERVER, HANDSHAKE, bytes(40))
    assert is_resumed(hand.session) is resumed


def test_in_tls_1_3_the_answer_shows_it_if_it_is_whole():
    answer = server_hello(TLS13, suite=b"\x13\1")
    hand = Hand()
    hand.handshake(CLIENT, client_hello(TLS13))
    hand.handshake(SERVER, answer)
    assert is_resumed(hand.session) is False
