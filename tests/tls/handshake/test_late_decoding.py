"""Messages that the capture has before the ServerHello, decoded again when version and suite are known."""

from sessions_by_hand import CLIENT, SERVER, Hand, client_hello, message, server_hello

SIGNED = b"\3\0\x17" + b"\x05" + b"\4abcd" + b"\4\3" + b"\0\3" + b"sig"


def test_a_key_exchange_before_its_server_hello_is_read_with_the_right_table():
    hand = Hand()
    hand.handshake(CLIENT, client_hello(), message(16, b"\4abcd"))
    assert type(hand.session.log.messages[1].body).__name__ == "OpaqueKeyExchange"
    hand.handshake(SERVER, server_hello(), message(12, SIGNED))
    exchange = hand.session.log.messages[1]
    assert exchange.body.ecdh_Yc == b"abcd"
    assert exchange.problems == []
    assert hand.session.handshake.parameters.group == 23


def test_a_message_without_its_end_is_not_decoded_again():
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.say(CLIENT, 22, message(16, b"\4abcd")[:6], missing=3)
    hand.handshake(SERVER, server_hello())
    assert type(hand.session.log.messages[1].body).__name__ == "OpaqueKeyExchange"
