"""What a ClientHello offers: without GREASE, and None for what it does not say."""

from offers_by_hand import GREASE_EXTENSION, MODES, alpn, groups, hello, hello_13, offer_of, share, shares

from analyzer.tls.handshake.client_offer import client_offer, without_grease

GREASE = b"\x1a\x1a"


def test_everything_that_a_hello_offers():
    offer = offer_of(hello_13(alpn(b"h2", b"http/1.1"), MODES))
    assert (offer.suites, offer.compression, offer.versions) == ((0x1301, 0x1303), (0,), (0x0304, 0x0303))
    assert (offer.groups, offer.shares, offer.schemes, offer.psk_modes) == ((29, 23), (29,), (0x0403, 0x0804), (1,))
    assert offer.protocols == (b"h2", b"http/1.1")
    assert offer.types == (43, 10, 13, 51, 16, 45)
    assert offer.offers_13


def test_what_a_hello_does_not_say():
    offer = offer_of(hello(suites=b"\0\x2f"))
    assert (offer.versions, offer.groups, offer.shares, offer.schemes, offer.protocols) == (None,) * 5
    assert (offer.server_certificate_types, offer.client_certificate_types) == ((0,), (0,))
    assert not offer.offers_13


def test_grease_is_no_offer():
    offer = offer_of(hello(GREASE_EXTENSION, groups(GREASE), shares(share(GREASE, b"\0")), suites=GREASE + b"\x13\1"))
    assert (offer.suites, offer.groups, offer.shares) == ((0x1301,), (), ())
    assert without_grease([0x0A0A, 0x0A1A, 0xFAFA]) == (0x0A1A,)


def test_another_message_offers_nothing():
    assert client_offer(object()) is None
