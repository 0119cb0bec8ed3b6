"""Sessions by hand that break one rule each, and legal sessions that are unusual: the first are told, the others are calm.

Each case is a whole conversation, read as any other. What else is told of it (such as a key that is no point) does not count.
"""

import zlib
from collections.abc import Callable

import pytest
from offers_by_hand import (
    AES,
    ASKED,
    CHOSEN_13,
    CHOSEN_KEY,
    CHOSEN_SHARE,
    COOKIE,
    ECDHE_RSA,
    GROUPS,
    KEYS,
    MODES,
    P256,
    SCHEMES,
    SHARES,
    VERSIONS_13,
    X25519,
    alpn,
    answer,
    extension,
    groups,
    hello,
    hello_13,
    listed,
    retry,
    share,
    shares,
)
from sealed_by_hand import FINISHED, LABELS, SECRETS, SealedHand
from sessions_by_hand import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, CLIENT, HANDSHAKE, HEARTBEAT, SERVER, Hand, message

from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import findings_record
from analyzer.tls.decryption.key_material import KeyMaterial

Later = tuple[int, int, bytes]

NAMED, OTHER = (extension(0, b"\0\x09\0\0\x06" + name) for name in (b"a.test", b"b.test"))
EARLY, LATER_AUTH = extension(42, b""), extension(49, b"")
OFFER = (VERSIONS_13, GROUPS, extension(13, b"\0\6\4\3\4\1\x08\4"), SHARES)
TWO_KEYS = extension(
    41, listed(b"".join(listed(name) + b"\0\0\0\1" for name in (b"ticket", b"second"))) + listed(2 * listed(b"B" * 32, 1))
)
ANSWER = answer(CHOSEN_13, CHOSEN_SHARE)
SECOND = hello(VERSIONS_13, GROUPS, SCHEMES, shares(share(P256)))
OFFER_12 = hello(GROUPS, extension(13, b"\0\4\4\1\4\3"), suites=ECDHE_RSA, session=b"")
ANSWER_12 = answer(suite=ECDHE_RSA, session=b"")


def agreed(*extensions: bytes) -> bytes:
    """EncryptedExtensions."""
    return message(8, listed(b"".join(extensions)))


def certificate(context: bytes = b"", entries: tuple[bytes, ...] = (b"cert",), *extensions: bytes) -> bytes:
    """A Certificate of TLS 1.3; the extensions are those of each entry."""
    inside = b"".join(len(one).to_bytes(3, "big") + one + listed(b"".join(extensions)) for one in entries)
    return message(11, listed(context, 1) + len(inside).to_bytes(3, "big") + inside)


def verify(scheme: bytes = b"\4\3") -> bytes:
    """A CertificateVerify."""
    return message(15, scheme + b"\0\3sig")


def request(context: bytes = b"", *extensions: bytes) -> bytes:
    """A CertificateRequest of TLS 1.3."""
    return message(13, listed(context, 1) + listed(b"".join((extension(13, b"\0\4\4\3\x08\4"), *extensions))))


def ticket(value: bytes = b"ticket") -> bytes:
    """A NewSessionTicket of TLS 1.3."""
    return message(4, b"\0\0\0\x64" + b"\0\0\0\1" + b"\1n" + listed(value) + b"\0\0")


def compressed() -> bytes:
    """A CompressedCertificate, with zlib."""
    inside = certificate()[4:]
    data = zlib.compress(inside)
    return message(25, b"\0\1" + len(inside).to_bytes(3, "big") + len(data).to_bytes(3, "big") + data)


ZLIB = extension(27, b"\2\0\1")
UPDATE = message(24, b"\0")
FLIGHT = agreed() + certificate() + verify() + FINISHED
ASKING = agreed() + request() + certificate() + verify() + FINISHED
CLIENT_PROOF = certificate() + verify() + FINISHED


def plain(*messages: bytes) -> Hand:
    """A conversation of messages in plaintext."""
    hand = Hand()
    for one in messages:
        hand.handshake(SERVER if one[0] in (2, 8, 11, 12, 13, 14) else CLIENT, one)
    return hand


def sealed(
    flight: bytes = FLIGHT,
    reply: bytes = FINISHED,
    *later: Later,
    offer: tuple[bytes, ...] = (),
    chosen: tuple[bytes, ...] = (CHOSEN_SHARE,),
) -> Hand:
    """A conversation of TLS 1.3 whose secrets are known. offer: more extensions of the ClientHello. reply: of the client."""
    keylog = KeyLog()
    for labels, secrets in zip(LABELS, SECRETS, strict=True):
        for label, secret in zip(labels, secrets, strict=True):
            keylog.feed(f"{label} {(b'C' * 32).hex()} {secret.hex()}\n".encode())
    hand = SealedHand.__new__(SealedHand)
    Hand.__init__(hand, KeyMaterial(keylog=keylog))
    hand.numbers, hand.epochs = [0, 0], [0, 0]
    hand.handshake(CLIENT, hello(*OFFER, *offer, session=b""))
    hand.handshake(SERVER, answer(CHOSEN_13, *chosen, session=b""))
    hand.seal(SERVER, HANDSHAKE, flight)
    if reply:
        hand.seal(CLIENT, HANDSHAKE, reply)
    for one in later:
        hand.seal(*one)
    return hand


def record(hand: Hand, role: int, content_type: int, body: bytes, version: int = 0x0303) -> Hand:
    """A conversation with one more record."""
    hand.say(role, content_type, body, version=version)
    return hand


def data(role: int, content: bytes = b"data") -> Later:
    """A record of application data."""
    return role, APPLICATION_DATA, content


BROKEN: dict[str, tuple[Callable[[], Hand], str]] = {
    # The answer against the offer.
    "a suite of GREASE": (
        lambda: plain(hello(suites=b"\x0a\x0a" + ECDHE_RSA, session=b""), answer(suite=b"\x0a\x0a", session=b"")), "not_offered"
    ),
    "a version of GREASE": (
        lambda: plain(
            hello(extension(43, listed(b"\x0a\x0a\3\4\3\3", 1)), GROUPS, SCHEMES, SHARES),
            answer(extension(43, b"\x0a\x0a"), CHOSEN_SHARE),
        ),
        "not_offered",
    ),
    "a pre-shared key without the key exchange that was offered": (
        lambda: plain(hello_13(MODES, KEYS), answer(CHOSEN_13, CHOSEN_KEY)), "not_offered"
    ),
    "a higher version": (
        lambda: plain(
            hello(suites=b"\0\x2f", version=b"\3\1", session=b""), answer(suite=b"\0\x2f", version=b"\3\2", session=b"")
        ),
        "not_offered",
    ),
    "a ticket in the ServerHello": (
        lambda: plain(
            hello(extension(35, b""), suites=ECDHE_RSA, session=b""),
            answer(extension(35, b"abcd"), suite=ECDHE_RSA, session=b""),
        ),
        "faulty_answer",
    ),
    "early data with the second key": (
        lambda: sealed(
            agreed(EARLY) + FINISHED, b"", offer=(EARLY, MODES, TWO_KEYS), chosen=(CHOSEN_SHARE, extension(41, b"\0\1"))
        ),
        "faulty_answer",
    ),
    "a cookie in the first hello": (lambda: plain(hello_13(COOKIE), ANSWER), "faulty_offer"),
    "an extension of another message in a request": (
        lambda: sealed(
            agreed() + request(b"", extension(0, b"")) + certificate() + verify() + FINISHED, certificate(b"", ()) + FINISHED
        ),
        "misplaced_extension",
    ),
    "an extension of another message in a Certificate": (
        lambda: sealed(agreed() + certificate(b"", (b"cert",), alpn(b"h2")) + verify() + FINISHED, offer=(alpn(b"h2"),)),
        "misplaced_extension",
    ),
    # Signatures.
    "PKCS 1 in a CertificateVerify": (
        lambda: sealed(agreed() + certificate() + verify(b"\4\1") + FINISHED), "faulty_answer"
    ),
    "a context that no request has": (lambda: sealed(ASKING, certificate(b"x") + verify() + FINISHED), "faulty_answer"),
    "a context that no later request has": (
        lambda: sealed(
            FLIGHT,
            FINISHED,
            (SERVER, HANDSHAKE, request(b"one")),
            (CLIENT, HANDSHAKE, certificate(b"two") + verify() + FINISHED),
            offer=(LATER_AUTH,),
        ),
        "faulty_answer",
    ),
    "an extension that was not requested": (
        lambda: sealed(ASKING, certificate(b"", (b"cert",), extension(18, b"\0\5\0\3abc")) + verify() + FINISHED), "not_offered"
    ),
    "the same context in two requests": (
        lambda: sealed(FLIGHT, FINISHED, *2 * ((SERVER, HANDSHAKE, request(b"one")),), offer=(LATER_AUTH,)), "faulty_answer"
    ),
    "a certificate compressed in another way": (
        lambda: sealed(agreed() + compressed() + verify() + FINISHED, offer=(extension(27, b"\2\0\2"),)), "not_offered"
    ),
    "a client that compresses unasked": (lambda: sealed(ASKING, compressed() + verify() + FINISHED), "not_offered"),
    "a heartbeat that is not allowed": (
        lambda: sealed(
            agreed(extension(15, b"\1")) + certificate() + verify() + FINISHED,
            FINISHED,
            (SERVER, HEARTBEAT, b"\1\0\1x" + bytes(16)),
            offer=(extension(15, b"\2"),),
        ),
        "unnegotiated_heartbeat",
    ),
    "a heartbeat of the client that is not allowed": (
        lambda: sealed(
            agreed(extension(15, b"\2")) + certificate() + verify() + FINISHED,
            FINISHED,
            (CLIENT, HEARTBEAT, b"\1\0\1x" + bytes(16)),
            offer=(extension(15, b"\1"),),
        ),
        "unnegotiated_heartbeat",
    ),
    # Both hellos of a retry.
    "another name after a retry": (
        lambda: plain(
            hello_13(NAMED), retry(ASKED), hello(VERSIONS_13, GROUPS, SCHEMES, shares(share(P256)), OTHER)
        ),
        "retry_changed",
    ),
    "TLS 1.2 after a retry": (
        lambda: plain(
            hello_13(suites=AES + ECDHE_RSA),
            retry(ASKED),
            hello(VERSIONS_13, GROUPS, SCHEMES, shares(share(P256)), suites=AES + ECDHE_RSA),
            answer(suite=ECDHE_RSA),
        ),
        "faulty_answer",
    ),
    "two retries": (lambda: plain(hello_13(), retry(ASKED), SECOND, retry(COOKIE)), "repeated_message"),
    "ALPN in a retry": (lambda: plain(hello_13(alpn(b"h2")), retry(ASKED, alpn(b"h2"))), "misplaced_extension"),
    # Order and number of messages.
    "no EncryptedExtensions": (lambda: sealed(certificate() + verify() + FINISHED), "message_missing"),
    "two EncryptedExtensions": (lambda: sealed(agreed() + FLIGHT), "repeated_message"),
    "a signature before its certificate": (
        lambda: sealed(agreed() + verify() + certificate() + FINISHED), "unexpected_message"
    ),
    "a ticket of the client": (lambda: sealed(FLIGHT, FINISHED, (CLIENT, HANDSHAKE, ticket())), "unexpected_message"),
    "data before Finished": (lambda: sealed(FLIGHT, b"", data(CLIENT)), "unexpected_message"),
    "a renegotiation of TLS 1.3": (lambda: sealed(FLIGHT, FINISHED, (CLIENT, HANDSHAKE, hello_13())), "unexpected_message"),
    "two ServerHellos": (lambda: plain(OFFER_12, ANSWER_12, ANSWER_12), "repeated_message"),
    "an early ChangeCipherSpec": (
        lambda: record(
            record(plain(OFFER_12, ANSWER_12, message(11, b"\0\0\0")), SERVER, CHANGE_CIPHER_SPEC, b"\1"),
            SERVER,
            HANDSHAKE,
            b"e" * 40,
        ),
        "message_missing",
    ),
    # The record layer.
    "a message behind a KeyUpdate": (
        lambda: sealed(FLIGHT, FINISHED, (SERVER, HANDSHAKE, UPDATE + ticket())), "unaligned_key_change"
    ),
    "two alerts in a record": (lambda: sealed(FLIGHT, FINISHED, (CLIENT, ALERT, b"\1\x5a\1\0")), "protocol_violation"),
    "half an alert": (lambda: sealed(FLIGHT, FINISHED, (CLIENT, ALERT, b"\1")), "protocol_violation"),
    "an empty alert": (lambda: sealed(FLIGHT, FINISHED, (CLIENT, ALERT, b"")), "empty_fragment"),
    "data after close_notify": (lambda: sealed(FLIGHT, FINISHED, (CLIENT, ALERT, b"\1\0"), data(CLIENT)), "data_after_alert"),
    "an alert of the level 3": (lambda: record(plain(OFFER_12, ANSWER_12), CLIENT, ALERT, b"\3\x28"), "protocol_violation"),
    "a first record of TLS 1.3": (
        lambda: record(Hand(), CLIENT, HANDSHAKE, hello_13(), 0x0304), "wrong_record_version"
    ),
    "an encrypted ChangeCipherSpec": (
        lambda: sealed(FLIGHT, FINISHED, (CLIENT, CHANGE_CIPHER_SPEC, b"\1")), "bad_change_cipher_spec"
    ),
    "another value of ChangeCipherSpec": (
        lambda: record(plain(OFFER_12, ANSWER_12), CLIENT, CHANGE_CIPHER_SPEC, b"\2"), "bad_change_cipher_spec"
    ),
    "another version of records": (
        lambda: record(plain(OFFER_12, ANSWER_12), SERVER, HANDSHAKE, message(11, b"\0\0\0"), 0x0301), "wrong_record_version"
    ),
    # Key exchanges.
    "a share of zeros": (
        lambda: plain(hello_13(), answer(CHOSEN_13, extension(51, share(X25519, bytes(32))))), "invalid_public_key"
    ),
    "a share of a finite field that is p": (
        lambda: plain(
            hello(VERSIONS_13, groups(b"\1\0"), SCHEMES, shares(share(b"\1\0", b"\2" * 256))),
            answer(CHOSEN_13, extension(51, share(b"\1\0", b"\xff" * 256))),
        ),
        "invalid_public_key",
    ),
}  # fmt: skip

BASE_POINT = bytes.fromhex(
    "04"
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)

LEGAL: dict[str, Callable[[], Hand]] = {
    "GREASE everywhere": lambda: plain(
        hello(
            extension(0x1A1A, b""), extension(43, listed(b"\x2a\x2a\3\4\3\3", 1)), groups(b"\x3a\x3a", X25519, P256),
            extension(13, b"\0\6\x4a\x4a\4\3\x08\4"), shares(share(b"\x3a\x3a", b"\0"), share(X25519)),
            extension(0x5A5A, b"\0"), suites=b"\x6a\x6a" + AES,
        ),
        ANSWER,
    ),
    "a first record of TLS 1.0": lambda: plain_with_old_record(),
    "fragments of one byte": lambda: fragments(),
    "a retry with cookie and group": lambda: plain(
        hello_13(),
        retry(ASKED, COOKIE),
        hello(VERSIONS_13, GROUPS, SCHEMES, shares(share(P256, BASE_POINT)), COOKIE),
        answer(CHOSEN_13, extension(51, share(P256, BASE_POINT))),
    ),
    "a retry after which early data and padding change": lambda: plain(
        hello(VERSIONS_13, GROUPS, SCHEMES, SHARES, MODES, EARLY, extension(21, bytes(9)), KEYS),
        retry(COOKIE),
        hello(VERSIONS_13, GROUPS, SCHEMES, SHARES, MODES, COOKIE, extension(21, bytes(3)), KEYS),
        ANSWER,
    ),
    "a pre-shared key without key exchange": lambda: plain(
        hello(VERSIONS_13, GROUPS, SCHEMES, SHARES, extension(45, b"\2\0\1"), KEYS), answer(CHOSEN_13, CHOSEN_KEY)
    ),
    "extensions of TLS 1.2 in another order": lambda: plain(
        hello(extension(35, b""), extension(23, b""), alpn(b"h2", b"x"), extension(5, b"\1\0\0\0\0"), suites=ECDHE_RSA),
        answer(alpn(b"x"), extension(5, b""), extension(23, b""), extension(35, b""), suite=ECDHE_RSA, session=b"new"),
    ),
    "empty data": lambda: sealed(FLIGHT, FINISHED, data(CLIENT, b""), data(SERVER, b"")),
    "data of the server before the client's Finished": lambda: sealed(
        FLIGHT, b"", data(SERVER), (CLIENT, HANDSHAKE, FINISHED)
    ),
    "user_canceled and close_notify": lambda: sealed(FLIGHT, FINISHED, (CLIENT, ALERT, b"\1\x5a"), (CLIENT, ALERT, b"\1\0")),
    "one side closed": lambda: sealed(FLIGHT, FINISHED, (CLIENT, ALERT, b"\1\0"), data(SERVER), (SERVER, ALERT, b"\1\0")),
    "two tickets in a record, and a KeyUpdate": lambda: sealed(
        FLIGHT, FINISHED, (SERVER, HANDSHAKE, ticket() + ticket(b"other") + UPDATE)
    ),
    "a client without certificate": lambda: sealed(ASKING, certificate(b"", ()) + FINISHED),
    "a client with a certificate": lambda: sealed(ASKING, CLIENT_PROOF),
    "compressed certificates of both sides": lambda: sealed(
        agreed() + request(b"", ZLIB) + compressed() + verify() + FINISHED, compressed() + verify() + FINISHED, offer=(ZLIB,)
    ),
    "heartbeats": lambda: sealed(
        agreed(extension(15, b"\2")) + certificate() + verify() + FINISHED,
        FINISHED,
        (SERVER, HEARTBEAT, b"\1\0\1x" + bytes(16)),
        (CLIENT, HEARTBEAT, b"\2\0\1x" + bytes(16)),
        offer=(extension(15, b"\1"),),
    ),
    "an acknowledged name": lambda: sealed(
        agreed(extension(0, b"")) + certificate() + verify() + FINISHED, offer=(NAMED,)
    ),
    "limits of both sides": lambda: sealed(
        agreed(extension(28, b"\2\1")) + certificate() + verify() + FINISHED, offer=(extension(28, b"\x40\1"),)
    ),
    "a later certificate": lambda: sealed(
        FLIGHT, FINISHED, (SERVER, HANDSHAKE, request(b"one")), data(SERVER), data(CLIENT),
        (CLIENT, HANDSHAKE, certificate(b"one") + verify() + FINISHED), offer=(LATER_AUTH,),
    ),
    "two later requests that are answered in one record": lambda: sealed(
        FLIGHT, FINISHED, (SERVER, HANDSHAKE, request(b"one") + request(b"two")),
        (CLIENT, HANDSHAKE, certificate(b"two", ()) + FINISHED + certificate(b"one", ()) + FINISHED), offer=(LATER_AUTH,),
    ),
}  # fmt: skip


def plain_with_old_record() -> Hand:
    hand = record(Hand(), CLIENT, HANDSHAKE, hello_13(), 0x0301)
    hand.handshake(SERVER, ANSWER)
    return hand


def fragments() -> Hand:
    hand = Hand()
    for octet in hello_13():
        hand.handshake(CLIENT, bytes([octet]))
    hand.handshake(SERVER, ANSWER)
    return hand


def told(hand: Hand) -> dict[str, str]:
    """The severities of the findings above `info`, by code."""
    hand.end()
    return {one["code"]: one["severity"] for one in findings_record(hand.session) if one["severity"] != "info"}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_told(name: str):
    make, code = BROKEN[name]
    assert code in told(make())


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_session_is_calm(name: str):
    assert told(LEGAL[name]()) == {}
