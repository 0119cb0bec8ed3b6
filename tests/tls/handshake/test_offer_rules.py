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
    share,
    shares,
    told,
)

from analyzer.tls.handshake.offer_rules import offer_breaches

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
