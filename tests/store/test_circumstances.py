"""What a handshake did with a certificate, from records made by hand."""

import pytest
from authorities import der, leaf
from cryptography import x509
from flights import certificate_list
from sessions_by_hand import CLIENT, SERVER, Hand, client_hello, extension, message, server_hello

from analyzer.store.circumstances import Circumstances, circumstances

MUST_STAPLE = der(leaf(x509.TLSFeature([x509.TLSFeatureType.status_request])))
STATUS_REQUEST = extension(5, b"\1\0\0\0\0")
DONE = message(14)
STATUS = message(22, b"\1\0\0\4abcd")


def of(*said: bytes, asks: bool = True, certificate: bytes = MUST_STAPLE, suite: bytes = b"\xc0\x2f") -> Circumstances:
    hand = Hand()
    hand.handshake(CLIENT, client_hello(*([STATUS_REQUEST] if asks else [])))
    hand.handshake(SERVER, server_hello(suite=suite), message(11, certificate_list([certificate])), *said)
    return circumstances(hand.session)


@pytest.mark.parametrize(
    ("suite", "use"),
    [
        (b"\xc0\x2f", "signature"),
        (b"\x00\x39", "signature"),
        (b"\xc0\x2b", "signature"),
        (b"\x00\x2f", "encipherment"),
        (b"\xc0\x31", ""),
        (b"\xc0\x18", ""),
        (b"\xfe\xed", ""),
    ],
)
def test_the_suite_says_what_the_key_is_for(suite: bytes, use: str) -> None:
    assert of(DONE, suite=suite, certificate=der(leaf())) == Circumstances(use)
    assert of(DONE, suite=suite).key_use == use


@pytest.mark.parametrize("asks", [True, False])
def test_a_response_is_missing_only_where_its_place_is_in_the_capture(asks: bool) -> None:
    assert of(DONE, asks=asks) == Circumstances("signature", asks, visible=True)
    assert of(asks=asks) == Circumstances("signature", asks, visible=False), "nothing follows the Certificate"
    assert of(STATUS, DONE, asks=asks) == Circumstances("signature", asks, visible=False), "it is there"


def test_what_was_lost_is_not_missing() -> None:
    hand = Hand()
    hand.handshake(CLIENT, client_hello(STATUS_REQUEST))
    hand.handshake(SERVER, server_hello(), message(11, certificate_list([MUST_STAPLE])))
    hand.gap(SERVER, 500)
    hand.handshake(SERVER, DONE)
    assert not circumstances(hand.session).visible


def test_a_hello_that_was_not_seen_asked_for_nothing_known() -> None:
    hand = Hand()
    hand.handshake(SERVER, server_hello(), message(11, certificate_list([MUST_STAPLE])), DONE)
    assert circumstances(hand.session).asked is None
