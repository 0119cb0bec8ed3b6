"""Full handshakes and resumptions up to TLS 1.2, told apart by the messages before the server's ChangeCipherSpec."""

import pytest
from sessions_by_hand import CHANGE_CIPHER_SPEC, CLIENT, SERVER, TLS13, Hand, client_hello, extension, message, server_hello

from analyzer.tls.handshake.parameters import UNKNOWN_WAY
from analyzer.tls.handshake.resumption_kind import FULL, resumption_kind


def kind(hand: Hand) -> str:
    session = hand.session
    return resumption_kind(session.log.messages, session.handshake.hellos, session.handshake.parameters, *session.roles)


def hand_with(hello: bytes, *answers: bytes, cut: int = 0) -> Hand:
    hand = Hand()
    hand.say(CLIENT, 22, hello[: len(hello) - cut], missing=cut)
    hand.handshake(SERVER, *answers)
    return hand


@pytest.mark.parametrize(
    ("hello", "answers", "expected"),
    [
        (client_hello(), (server_hello(),), "session_id"),
        (client_hello(extension(35, b"tick")), (server_hello(), message(4, bytes(6))), "ticket"),
        (client_hello(), (server_hello(), message(14)), FULL),
        (client_hello(TLS13), (server_hello(TLS13, suite=b"\x13\1"),), ""),
        (client_hello(), (), ""),
    ],
)
def test_the_messages_behind_the_server_hello_tell_it(hello: bytes, answers: tuple[bytes, ...], expected: str):
    assert kind(hand_with(hello, *answers)) == expected


def test_an_offer_that_is_cut_does_not_tell_the_way():
    assert kind(hand_with(client_hello(extension(35, b"tick")), server_hello(), cut=3)) == UNKNOWN_WAY


def test_after_a_loss_of_the_server_nothing_is_known():
    hand = hand_with(client_hello(), server_hello())
    hand.gap(SERVER, 100)
    assert kind(hand) == ""


def test_a_client_that_changes_first_resumes_nothing():
    hand = hand_with(client_hello(), server_hello())
    hand.say(CLIENT, CHANGE_CIPHER_SPEC, b"\1")
    assert kind(hand) == ""
