"""What hellos offer, as an inventory lists it."""

from offers_by_hand import VERSIONS_13, groups, hello
from sessions_by_hand import CLIENT, Hand, extension

from analyzer.analysis.offer_traits import OfferTraits, offer_traits


def traits(offer: bytes) -> OfferTraits:
    hand = Hand()
    hand.handshake(CLIENT, offer)
    hand.end()
    known = hand.session.handshake.hellos.fingerprint_input
    assert known is not None
    return offer_traits(known)


def test_a_modern_hello_offers_nothing_weak():
    found = traits(hello(VERSIONS_13, groups(b"\x11\xec", b"\0\x1d"), suites=b"\x13\1\xc0\x2b"))
    assert found == OfferTraits(("TLS 1.3", "TLS 1.2"), True, ("X25519MLKEM768",), ())


def test_grease_is_no_offer():
    versions = extension(43, b"\6\x0a\x0a\3\4\3\3")
    found = traits(hello(versions, groups(b"\x0a\x0a", b"\x11\xec"), suites=b"\x0a\x0a\x13\1"))
    assert (found.versions, found.post_quantum) == (("TLS 1.3", "TLS 1.2"), ("X25519MLKEM768",))


def test_without_the_extension_the_version_is_the_highest_alone():
    found = traits(hello(suites=b"\xc0\x2f"))
    assert (found.versions, found.listed) == (("TLS 1.2",), False)


def test_what_is_weak_is_named_as_the_finding_that_it_would_be():
    listed = extension(43, b"\4\3\3\3\1")
    schemes = extension(13, b"\0\4\4\1\2\1")
    found = traits(hello(listed, schemes, suites=b"\0\5\0\x0a\0\x3b\0\x03\0\x09\0\x18\xc0\x2f"))
    assert set(found.weak) == {
        "anonymous_key_exchange", "deprecated_version", "export_cipher", "null_cipher", "rc4", "triple_des", "weak_cipher",
        "weak_signature_hash",
    }  # fmt: skip


def test_what_nearly_all_clients_offer_is_left_out():
    assert traits(hello(suites=b"\0\x2f\xc0\x13")).weak == ()


def test_equal_hellos_are_read_once():
    first, second = (traits(hello(VERSIONS_13, suites=b"\x13\2")) for _ in range(2))
    assert first is second
