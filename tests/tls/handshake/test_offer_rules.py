"""Rules that a ClientHello can break by itself: each with a hello that breaks it, and hellos that break none."""

import pytest
from offers_by_hand import (
    GREASE_EXTENSION,
    GROUPS,
    KEYS,
    MODES,
    P256,
    P384,
    POINTS,
    SCHEMES,
    SHARES,
    VERSIONS_13,
    X25519,
    extension,
    groups,
    hello,
    hello_13,
    listed,
    offer_of,
    read,
    share,
    shares,
    told,
)

from analyzer.tls.handshake.offer_rules import content_breaches, offer_breaches
from analyzer.tls.messages.hello import ClientHello

EARLY = extension(42, b"")
GREASED = shares(share(b"\x0a\x0a", b"\0"), share(X25519))


@pytest.mark.parametrize(
    "raw",
    [
        hello(suites=b"\0\x2f"),
        hello(POINTS, SCHEMES, suites=b"\xc0\x2f", compression=b"\1\0"),
        hello_13(),
        hello_13(MODES, EARLY, KEYS),
        hello_13(MODES, POINTS),
        hello(VERSIONS_13, MODES, KEYS),  # with a pre-shared key alone
        hello(GREASE_EXTENSION, VERSIONS_13, groups(b"\x0a\x0a", X25519), SCHEMES, GREASED, extension(0x3A3A, b"")),
        hello(extension(15, b"\1"), extension(1, b"\4"), extension(28, b"\0\x40"), extension(0xFF01, b"\0")),
        hello_13(extension(11, b"\1\1")),  # point formats mean nothing in TLS 1.3
        hello(VERSIONS_13, GROUPS, SCHEMES, shares()),  # asks for a retry
    ],
)
def test_a_calm_hello(raw):
    assert told(offer_breaches(offer_of(raw))) == []


@pytest.mark.parametrize(
    ("raw", "code", "detail"),
    [
        (
            hello(extension(23, b""), extension(23, b""), extension(23, b"")), "repeated_extension",
            "the ClientHello has the extension extended_master_secret more than once",
        ),
        (
            hello_13(GREASE_EXTENSION, GREASE_EXTENSION), "repeated_extension",
            "the ClientHello has the extension GREASE 0x2a2a more than once",
        ),
        (hello(compression=b"\1"), "faulty_offer", "the ClientHello does not offer the compression method NULL"),
        (
            hello_13(compression=b"\1\0"), "faulty_offer",
            "the ClientHello offers TLS 1.3 with the compression methods DEFLATE, NULL; only NULL is allowed",
        ),
        (
            hello_13(version=b"\3\2"), "faulty_offer",
            "the ClientHello offers TLS 1.3 with the legacy_version TLS 1.1, not TLS 1.2",
        ),
        (
            hello(extension(11, listed(b"\1", 1))), "faulty_offer",
            "the point formats of the ClientHello lack uncompressed",
        ),
        (hello(extension(15, b"\3")), "faulty_offer", "the ClientHello has the heartbeat mode 3, which is neither 1 nor 2"),
        (
            hello(extension(1, b"\5")), "faulty_offer",
            "the ClientHello asks for the max_fragment_length 5, which has no meaning",
        ),
        (
            hello(extension(28, b"\0\x3f")), "faulty_offer",
            "the ClientHello has a record size limit of 63 bytes, under 64",
        ),
        (
            hello(extension(0xFF01, listed(b"verify data", 1))), "faulty_offer",
            "the first ClientHello of the connection has a renegotiation_info that is not empty",
        ),
        (hello_13(MODES, KEYS, POINTS), "misplaced_extension", "pre_shared_key is not the last extension of the ClientHello"),
        (
            hello_13(KEYS), "faulty_offer",
            "the ClientHello has no psk_key_exchange_modes, although it has pre_shared_key",
        ),
        (
            hello(VERSIONS_13, GROUPS, SHARES), "faulty_offer",
            "the ClientHello has no signature_algorithms, although it offers TLS 1.3 without a pre-shared key",
        ),
        (
            hello(VERSIONS_13, SCHEMES, SHARES), "faulty_offer",
            "the ClientHello has no supported_groups, although it offers TLS 1.3 without a pre-shared key",
        ),
        (
            hello(VERSIONS_13, SHARES, MODES, KEYS), "faulty_offer",
            "the ClientHello has no supported_groups, although it has key_share",
        ),
        (
            hello(VERSIONS_13, GROUPS, SCHEMES), "faulty_offer",
            "the ClientHello has no key_share, although it has supported_groups",
        ),
        (hello_13(EARLY), "faulty_offer", "the ClientHello has no pre_shared_key, although it announces early data"),
        (
            hello(VERSIONS_13, GROUPS, SCHEMES, shares(share(P256), share(X25519), share(P256))), "faulty_offer",
            "the ClientHello has several key shares for the same group secp256r1",
        ),
        (
            hello(VERSIONS_13, GROUPS, SCHEMES, shares(share(P384))), "faulty_offer",
            "the ClientHello has a key share for secp384r1, which is not among its groups",
        ),
    ],
)  # fmt: skip
def test_a_hello_that_breaks_a_rule(raw, code, detail):
    assert told(offer_breaches(offer_of(raw))) == [(code, detail)]


A_NAME, B_NAME, OTHER_TYPE = (kind + listed(name) for kind, name in ((b"\0", b"a.test"), (b"\0", b"b.test"), (b"\7", b"\0")))
TWO_KEYS = extension(41, listed((listed(b"ticket") + b"\0\0\0\1") * 2) + listed(listed(b"B" * 32, 1)))


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        (extension(0, listed(A_NAME)), ""),
        (extension(0, listed(A_NAME + OTHER_TYPE)), ""),
        (extension(0, listed(A_NAME + B_NAME)), "the ClientHello has several server names of the same type"),
        (extension(21, b""), ""),
        (extension(21, b"\0" * 40), ""),
        (extension(21, b"\0" * 40 + b"x"), "the padding of the ClientHello is not all zeros"),
        (KEYS, ""),
        (TWO_KEYS, "the ClientHello has 2 pre-shared keys and 1 binders"),
    ],
)
def test_parts_that_differ_from_connection_to_connection(sent, detail):
    wanted = [("faulty_offer", detail)] if detail else []
    assert told(content_breaches(read(ClientHello, hello_13(sent)))) == wanted
