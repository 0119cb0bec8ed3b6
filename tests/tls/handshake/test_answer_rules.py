"""Rules that compare an answer with the ClientHello: each with an answer that breaks it, and answers that break none."""

import pytest
from offers_by_hand import (
    AES,
    CHOSEN_13,
    CHOSEN_KEY,
    CHOSEN_SHARE,
    ECDHE_ECDSA,
    ECDHE_RSA,
    KEYS,
    MODES,
    P256,
    POINTS,
    SCHEMES,
    alpn,
    answer,
    extension,
    hello,
    hello_13,
    listed,
    offer_of,
    server_hello,
    share,
    told,
)

from analyzer.tls.handshake.answer_rules import answer_breaches
from analyzer.tls.handshake.offer_rules import extension_name

OLD = hello(SCHEMES, POINTS, alpn(b"h2"), suites=ECDHE_RSA + ECDHE_ECDSA)
NEW = hello_13()
TICKET, EMS, EMPTY_RENEGOTIATION = extension(35, b""), extension(23, b""), extension(0xFF01, b"\0")
LIMITED = hello(extension(1, b"\1"), extension(28, b"\1\0"), suites=ECDHE_RSA)
NAME = alpn(b"h2")


def breaches(offered: bytes, raw: bytes, n_keys: int = 0) -> list[tuple[str, str]]:
    return told(answer_breaches(server_hello(raw), offer_of(offered), False, n_keys))


@pytest.mark.parametrize(
    ("offered", "raw", "n_keys"),
    [
        (NEW, answer(CHOSEN_13, CHOSEN_SHARE), 0),
        (hello_13(MODES, KEYS), answer(CHOSEN_13, CHOSEN_SHARE, CHOSEN_KEY), 1),
        (hello_13(extension(45, b"\1\0"), KEYS), answer(CHOSEN_13, CHOSEN_KEY), 1),
        (OLD, answer(POINTS, NAME, suite=ECDHE_RSA), 0),
        (OLD, answer(suite=ECDHE_ECDSA, session=b"another"), 0),
        (hello_13(suites=AES + ECDHE_RSA), answer(suite=ECDHE_RSA), 0),
        (hello(suites=b"\0\x2f\0\xff"), answer(EMPTY_RENEGOTIATION, suite=b"\0\x2f", version=b"\3\1"), 0),
        (hello(suites=b"\0\x2f", compression=b"\1\0"), answer(suite=b"\0\x2f", compression=b"\1"), 0),
        (LIMITED, answer(extension(1, b"\1"), suite=ECDHE_RSA), 0),
        (hello(suites=b"\0\xae"), answer(suite=b"\0\xae", version=b"\3\1"), 0),  # with a pre-shared key and CBC
        (hello(extension(22, b""), suites=b"\0\x2f"), answer(extension(22, b""), suite=b"\0\x2f"), 0),
    ],
)
def test_an_answer_from_the_offer(offered, raw, n_keys):
    assert breaches(offered, raw, n_keys) == []


@pytest.mark.parametrize(
    ("offered", "raw", "what"),
    [
        (hello_13(suites=b"\x13\2"), answer(CHOSEN_13, CHOSEN_SHARE), "TLS_AES_128_GCM_SHA256 as the cipher suite"),
        (OLD, answer(suite=b"\0\x2f"), "TLS_RSA_WITH_AES_128_CBC_SHA as the cipher suite"),
        (hello(suites=b"\x1a\x1a\0\x2f"), answer(suite=b"\x1a\x1a"), "GREASE 0x1a1a as the cipher suite"),
        (hello(suites=b"\0\x2f", version=b"\3\2"), answer(suite=b"\0\x2f"), "TLS 1.2 as the version"),
        (OLD, answer(suite=ECDHE_RSA, compression=b"\1"), "DEFLATE as the compression method"),
        (OLD, answer(alpn(b"h3"), suite=ECDHE_RSA), "'h3' as the protocol"),
        (LIMITED, answer(extension(1, b"\2"), suite=ECDHE_RSA), "2^10 as the max_fragment_length"),
        (hello_13(MODES, KEYS), answer(CHOSEN_13, CHOSEN_KEY), "psk_ke as the key exchange mode"),
        (
            hello(extension(20, b"\1\2"), suites=ECDHE_RSA), answer(extension(20, b"\0"), suite=ECDHE_RSA),
            "X509 as the certificate type",
        ),
    ],
)  # fmt: skip
def test_a_choice_that_was_not_offered(offered, raw, what):
    wanted = [("not_offered", f"the server chose {what}, which the client did not offer")]
    assert breaches(offered, raw, 1) == wanted


def test_tls_1_3_that_was_not_offered():
    found = breaches(hello(suites=AES), answer(CHOSEN_13, CHOSEN_SHARE))
    assert ("not_offered", "the server chose TLS 1.3 as the version, which the client did not offer") in found


@pytest.mark.parametrize("number", [23, 35, 11, 16, 0xFF01, 0x2A2A])
def test_an_extension_that_was_not_offered(number):
    body = {11: b"\1\0", 16: listed(listed(b"h2", 1)), 0xFF01: b"\0"}.get(number, b"")
    found = breaches(hello(suites=ECDHE_RSA), answer(extension(number, body), suite=ECDHE_RSA))
    wanted = f"the ServerHello has the extension {extension_name(number)}, which the client did not offer"
    assert found == [("not_offered", wanted)]


@pytest.mark.parametrize(
    ("offered", "raw", "detail"),
    [
        (NEW, answer(CHOSEN_13, extension(51, share(P256))), "secp256r1, for which the client sent no key share"),
        (hello_13(MODES, KEYS), answer(CHOSEN_13, CHOSEN_SHARE, extension(41, b"\0\1")), "index 1, and the client offered 1"),
    ],
)
def test_a_key_that_was_not_offered(offered, raw, detail):
    found = breaches(offered, raw, 1)
    assert [code for code, _ in found] == ["not_offered"]
    assert found[0][1].endswith(detail)


@pytest.mark.parametrize(
    ("offered", "raw", "detail"),
    [
        (
            NEW, answer(CHOSEN_13, CHOSEN_SHARE, version=b"\3\2"),
            "the server chose TLS 1.3 with the legacy_version TLS 1.1, not TLS 1.2",
        ),
        (
            NEW, answer(CHOSEN_13, CHOSEN_SHARE, compression=b"\1"),
            "the server chose TLS 1.3 with a compression method other than NULL",
        ),
        (
            hello_13(suites=ECDHE_RSA), answer(CHOSEN_13, CHOSEN_SHARE, suite=ECDHE_RSA),
            "the server chose TLS 1.3 with the cipher suite TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 of earlier versions",
        ),
        (NEW, answer(), "the server chose TLS 1.2 with the cipher suite TLS_AES_128_GCM_SHA256 of TLS 1.3"),
        (
            OLD, answer(suite=ECDHE_ECDSA, version=b"\3\2"),
            "the server chose TLS 1.1 with the cipher suite TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, which needs TLS 1.2",
        ),
        (
            hello(suites=b"\0\x3c"), answer(suite=b"\0\x3c", version=b"\3\1"),
            "the server chose TLS 1.0 with the cipher suite TLS_RSA_WITH_AES_128_CBC_SHA256, which needs TLS 1.2",
        ),
        (
            hello_13(suites=ECDHE_RSA), answer(extension(43, b"\3\3"), suite=ECDHE_RSA),
            "the server chose TLS 1.2 by supported_versions, which is for TLS 1.3 and later",
        ),
        (NEW, answer(CHOSEN_13), "the ServerHello has neither a key share nor a pre-shared key"),
        (OLD, answer(extension(11, b"\1\1"), suite=ECDHE_RSA), "the point formats of the ServerHello lack uncompressed"),
        (
            hello(extension(22, b""), suites=ECDHE_RSA), answer(extension(22, b""), suite=ECDHE_RSA),
            "the ServerHello has encrypt_then_mac, which TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 does not allow",
        ),
        (OLD, answer(alpn(b"h2", b"h2"), suite=ECDHE_RSA), "the server answers ALPN with 2 protocols, not one"),
        (
            hello(extension(15, b"\1"), suites=ECDHE_RSA), answer(extension(15, b"\0"), suite=ECDHE_RSA),
            "the server answers with the heartbeat mode 0, which is neither 1 nor 2",
        ),
        (
            hello(suites=ECDHE_RSA + b"\0\xff"), answer(extension(0xFF01, b"\1x"), suite=ECDHE_RSA),
            "the first ServerHello of the connection has a renegotiation_info that is not empty",
        ),
        (
            LIMITED, answer(extension(28, b"\0\x3f"), suite=ECDHE_RSA),
            "the server answers with a record size limit of 63 bytes, under 64",
        ),
        (
            LIMITED, answer(extension(1, b"\1"), extension(28, b"\1\0"), suite=ECDHE_RSA),
            "the server answers both max_fragment_length and record_size_limit",
        ),
    ],
)  # fmt: skip
def test_an_answer_that_is_wrong_by_itself(offered, raw, detail):
    assert breaches(offered, raw) == [("faulty_answer", detail)]
    if "neither a key share" not in detail:  # a rule that needs no offer speaks without one
        assert told(answer_breaches(server_hello(raw), None, False, 0)) == [("faulty_answer", detail)]


def test_places_and_repetitions():
    assert breaches(hello_13(NAME), answer(CHOSEN_13, CHOSEN_SHARE, NAME)) == [
        (
            "misplaced_extension",
            "the extension application_layer_protocol_negotiation must not be in the message ServerHello",
        )
    ]
    assert breaches(hello(EMS, suites=ECDHE_RSA), answer(EMS, EMS, suite=ECDHE_RSA)) == [
        ("repeated_extension", "the ServerHello has the extension extended_master_secret more than once")
    ]


def test_without_an_offer_nothing_is_compared():
    raw = answer(TICKET, alpn(b"h3"), suite=ECDHE_RSA)
    assert told(answer_breaches(server_hello(raw), None, False, 0)) == []
