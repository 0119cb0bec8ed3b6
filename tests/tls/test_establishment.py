"""Whether a handshake was completed: yes, no, or not known, because the capture does not have what would show it."""

import pytest
from sessions_by_hand import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    CLIENT,
    HANDSHAKE,
    SERVER,
    Hand,
    client_hello,
    message,
    server_hello,
)

from analyzer.tls.establishment import is_whole


def after_hellos() -> Hand:
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, server_hello(), message(14))
    return hand


def finish(hand: Hand, role: int) -> None:
    hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
    hand.say(role, HANDSHAKE, bytes(40))


def test_both_finished_messages_establish_it_however_it_ends():
    for reason in ("fin", "rst", "idle", "end"):
        hand = after_hellos()
        finish(hand, CLIENT)
        finish(hand, SERVER)
        hand.end(reason)
        assert hand.session.established is True


@pytest.mark.parametrize(("reason", "established"), [("fin", False), ("rst", False), ("idle", None), ("end", None)])
def test_only_the_end_of_the_connection_shows_that_nobody_went_on(reason: str, established: bool | None):
    hand = after_hellos()
    hand.end(reason)
    assert hand.session.established is established


@pytest.mark.parametrize("reason", ["fin", "rst"])
def test_nothing_is_known_where_bytes_are_missing(reason: str):
    hand = after_hellos()
    hand.gap(SERVER, 100)
    hand.end(reason)
    assert hand.session.established is None
    assert not hand.session.whole


@pytest.mark.parametrize("unseen", [1, 2])
def test_nothing_is_known_without_the_packets_of_a_side(unseen: int):
    hand = after_hellos()
    hand.session.flow.unseen = unseen
    hand.end()
    assert hand.session.established is None


def test_a_fatal_alert_ends_it_even_where_the_capture_goes_no_further():
    hand = after_hellos()
    hand.say(CLIENT, ALERT, b"\2\x28")
    hand.end("end")
    assert hand.session.established is False


def test_data_of_a_server_up_to_tls_1_2_follows_both_finished_messages():
    hand = Hand()
    hand.gap(CLIENT, 200)
    hand.handshake(SERVER, server_hello(), message(14))
    hand.say(SERVER, CHANGE_CIPHER_SPEC, b"\1")
    hand.say(SERVER, HANDSHAKE, bytes(40))
    hand.end("end")
    assert hand.session.established is None
    hand = Hand()
    hand.gap(CLIENT, 200)
    hand.handshake(SERVER, server_hello(), message(14))
    hand.say(SERVER, CHANGE_CIPHER_SPEC, b"\1")
    hand.say(SERVER, HANDSHAKE, bytes(40))
    hand.say(SERVER, APPLICATION_DATA, bytes(60))
    hand.end("end")
    assert hand.session.established is True


@pytest.mark.parametrize(
    ("change", "whole"), [({}, True), ({"mid_stream": True}, False), ({"unseen": 2}, False), ({"limited": 1}, False)]
)
def test_a_flow_is_whole_if_nothing_of_it_is_missing(change: dict[str, int], whole: bool):
    hand = after_hellos()
    for name, value in change.items():
        setattr(hand.session.flow, name, value)
    session = hand.session
    assert is_whole(session.flow, session.log, session.handshake.hellos) is whole
