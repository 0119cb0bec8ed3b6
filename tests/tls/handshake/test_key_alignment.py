"""Records of TLS 1.3 that go on after a message that changes the keys of their sender."""

import pytest
from sealed_by_hand import EXTENSIONS, FINISHED, SealedHand
from sessions_by_hand import CLIENT, HANDSHAKE, SERVER, TLS13, Hand, client_hello, message, server_hello

from analyzer.tls.events import Finding

TICKET = message(4, bytes(8) + b"\1n" + b"\0\6ticket" + b"\0\0")
UPDATE = message(24, b"\0")


def told(hand: Hand) -> list[tuple[str, list[int], str]]:
    hand.end()
    found = hand.of(Finding)
    return [(one.severity, one.frames, one.detail) for one in found if one.code == "unaligned_key_change"]


def test_a_server_hello_that_is_not_the_end_of_its_record():
    hand = Hand()
    hand.handshake(CLIENT, client_hello(TLS13, suites=b"\x13\1"))
    hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1"), EXTENSIONS[:5])
    (found,) = told(hand)
    assert found[:2] == ("medium", [3])
    assert "the server_hello of the server" in found[2]
    assert "5 bytes" in found[2]


def test_a_server_hello_of_tls_1_2_may_have_others_behind_it():
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, server_hello(), message(11, b"\0\0\0"), message(14))
    assert told(hand) == []


@pytest.mark.parametrize(
    ("role", "content", "wanted"),
    [
        (CLIENT, UPDATE, []),
        (CLIENT, UPDATE + b"\x18\0", [5 + 1]),
        (SERVER, TICKET + TICKET, []),
        (SERVER, TICKET + UPDATE, []),
        (SERVER, UPDATE + TICKET, [5 + 1]),
    ],
)
def test_a_key_update_is_the_end_of_its_record(role: int, content: bytes, wanted: list[int]):
    hand = SealedHand().finish_handshake()
    hand.seal(role, HANDSHAKE, content)
    assert [frame for _, frames, _ in told(hand) for frame in frames] == wanted


def test_a_finished_is_the_end_of_its_record():
    hand = SealedHand()
    hand.seal(CLIENT, HANDSHAKE, FINISHED + UPDATE)
    (found,) = told(hand)
    assert found[1] == [5]


def test_where_bytes_are_missing_nothing_is_said():
    hand = Hand()
    hand.handshake(CLIENT, client_hello(TLS13, suites=b"\x13\1"))
    hand.gap(SERVER, 20)
    hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1"), EXTENSIONS[:5])
    assert told(hand) == []
