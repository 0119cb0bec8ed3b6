"""Rules about a HelloRetryRequest, the second ClientHello and the ServerHello after them."""

import pytest
from offers_by_hand import (
    AES,
    ASKED,
    CHACHA,
    CHOSEN_13,
    COOKIE,
    GROUPS,
    KEYS,
    MODES,
    P256,
    P384,
    SCHEMES,
    SHARES,
    VERSIONS_13,
    X25519,
    alpn,
    answer,
    extension,
    hello,
    hello_13,
    offer_of,
    read,
    retry,
    server_hello,
    share,
    shares,
    told,
)

from analyzer.tls.handshake.retry_rules import after_retry_breaches, retry_breaches, second_hello_breaches
from analyzer.tls.messages.hello import ClientHello

AGAIN = shares(share(P256))
EARLY, PADDING, GREASE = extension(42, b""), extension(21, b"\0" * 9), extension(0x4A4A, b"")
FIRST = (VERSIONS_13, GROUPS, SCHEMES)


def changes(first: bytes, asked: bytes, second: bytes) -> list[tuple[str, str]]:
    return told(second_hello_breaches(read(ClientHello, first), server_hello(asked), read(ClientHello, second)))


@pytest.mark.parametrize("raw", [retry(ASKED), retry(COOKIE), retry(ASKED, COOKIE)])
def test_a_retry_that_asks_for_what_it_may(raw):
    assert told(retry_breaches(server_hello(raw), offer_of(hello_13()))) == []


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (retry(), ("faulty_answer", "the HelloRetryRequest asks for no change: it has neither a group nor a cookie")),
        (
            retry(extension(51, P384)),
            ("not_offered", "the server chose secp384r1 as the group, which the client did not offer"),
        ),
        (
            retry(extension(51, X25519)),
            ("faulty_answer", "the HelloRetryRequest asks for the group x25519, for which the client had sent a key share"),
        ),
    ],
)
def test_a_retry_against_the_rules(raw, wanted):
    assert told(retry_breaches(server_hello(raw), offer_of(hello_13()))) == [wanted]


@pytest.mark.parametrize(
    ("first", "asked", "second"),
    [
        (hello_13(), retry(ASKED), hello(*FIRST, AGAIN)),
        (hello_13(), retry(ASKED, COOKIE), hello(*FIRST, AGAIN, COOKIE)),
        (hello_13(), retry(COOKIE), hello_13(COOKIE)),
        (hello_13(MODES, EARLY, KEYS), retry(ASKED), hello(*FIRST, AGAIN, MODES)),
        (hello_13(), retry(ASKED), hello(*FIRST, AGAIN, PADDING)),
        (hello_13(PADDING, GREASE), retry(ASKED), hello(*FIRST, AGAIN, extension(0x5A5A, b""))),
    ],
)
def test_a_second_hello_that_changes_what_it_may(first, asked, second):
    assert changes(first, asked, second) == []


@pytest.mark.parametrize(
    ("second", "detail"),
    [
        (hello(*FIRST, AGAIN, random=b"D" * 32), "the second ClientHello has another random than the first"),
        (hello(*FIRST, AGAIN, suites=AES), "the second ClientHello has another list of cipher suites than the first"),
        (hello(*FIRST, AGAIN, session=b"new"), "the second ClientHello has another session id than the first"),
        (hello(*FIRST, AGAIN, version=b"\3\2"), "the second ClientHello has another legacy_version than the first"),
        (
            hello(*FIRST, AGAIN, compression=b"\0\1"),
            "the second ClientHello has another list of compression methods than the first",
        ),
        (hello(VERSIONS_13, GROUPS, AGAIN), "the second ClientHello lacks the extension signature_algorithms of the first"),
        (
            hello(*FIRST, AGAIN, alpn(b"h2")),
            "the second ClientHello has the extension application_layer_protocol_negotiation, which the first does not have",
        ),
        (
            hello(VERSIONS_13, GROUPS, extension(13, b"\0\2\4\3"), AGAIN),
            "the extension signature_algorithms of the second ClientHello differs from that of the first",
        ),
        (hello(*FIRST, AGAIN, EARLY), "the second ClientHello, after the retry, has early_data"),
        (hello(*FIRST, AGAIN, COOKIE), "the second ClientHello has a cookie, which the retry did not give"),
        (
            hello(*FIRST, SHARES),
            "the key shares of the second ClientHello are not one of the group secp256r1, as the retry asks",
        ),
        (
            hello(*FIRST, shares(share(P256), share(X25519))),
            "the key shares of the second ClientHello are not one of the group secp256r1, as the retry asks",
        ),
    ],
)
def test_a_second_hello_that_changes_more(second, detail):
    assert changes(hello_13(), retry(ASKED), second) == [("retry_changed", detail)]


def test_a_cookie_is_repeated():
    wanted = [("retry_changed", "the second ClientHello does not repeat the cookie of the retry")]
    assert changes(hello_13(), retry(COOKIE), hello_13()) == wanted
    assert changes(hello_13(), retry(COOKIE), hello_13(extension(44, b"\0\6kookie"))) == wanted


def test_the_answer_after_a_retry():
    asked = server_hello(retry(ASKED))
    chosen = extension(51, share(P256))
    assert told(after_retry_breaches(asked, server_hello(answer(CHOSEN_13, chosen)))) == []
    suites = "the ServerHello has the cipher suite TLS_CHACHA20_POLY1305_SHA256, and the retry before it TLS_AES_128_GCM_SHA256"
    assert told(after_retry_breaches(asked, server_hello(answer(CHOSEN_13, chosen, suite=CHACHA)))) == [
        ("faulty_answer", suites)
    ]
    groups = "the ServerHello has the group x25519, and the retry before it secp256r1"
    assert told(after_retry_breaches(asked, server_hello(answer(CHOSEN_13, extension(51, share(X25519)))))) == [
        ("faulty_answer", groups)
    ]
    versions = "the ServerHello has the version TLS 1.2, and the retry before it TLS 1.3"
    assert told(after_retry_breaches(asked, server_hello(answer()))) == [("faulty_answer", versions)]
