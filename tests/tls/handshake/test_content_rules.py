"""Rules about messages after the hellos: each with a message that breaks it, and messages that break none."""

import pytest
from offers_by_hand import ECDHE_RSA, POINTS, SCHEMES, alpn, extension, groups, hello, hello_13, listed, offer_of, read, told

from analyzer.tls.handshake.content_rules import (
    certificate_breaches,
    exchange_breaches,
    extensions_breaches,
    is_raw_key,
    request_breaches,
    scheme_breaches,
    ticket_breaches,
    update_breaches,
)
from analyzer.tls.messages.certificate_tables import Certificate13, CertificateRequest13
from analyzer.tls.messages.finish import EncryptedExtensions, KeyUpdate, NewSessionTicket, NewSessionTicket13
from analyzer.tls.messages.message_tables import table_of
from analyzer.tls.suites import read_name

NAME, ALPN = extension(0, b""), alpn(b"h2")
OFFER = offer_of(hello_13(extension(0, listed(b"\0" + listed(b"a.test"))), ALPN, extension(18, b"")))
P256 = b"\0\x17"
OLD = offer_of(hello(SCHEMES, groups(P256), POINTS, suites=ECDHE_RSA))
RSA, ECDSA = (read_name(f"TLS_ECDHE_{kind}_WITH_AES_128_GCM_SHA256") for kind in ("RSA", "ECDSA"))
CERTIFICATE = b"\x30\x82\1\0\x30\x81\xf0\xa0\3\2\1\2"
RAW_KEY = b"\x30\x59\x30\x13\6\7\x2a"


def encrypted(*extensions: bytes):
    return read(EncryptedExtensions, b"\x08\0\0\0" + listed(b"".join(extensions)))


def certificate(der: bytes = CERTIFICATE, context: bytes = b"", *extensions: bytes):
    entry = listed(der, 3) + listed(b"".join(extensions))
    return read(Certificate13, b"\x0b\0\0\0" + listed(context, 1) + listed(entry, 3))


def exchange(curve: bytes = P256, scheme: bytes = b"\x08\4"):
    raw = b"\x0c\0\0\0\3" + curve + listed(b"key", 1) + scheme + listed(b"signature")
    return read(table_of(12, 0x0303, RSA, raw), raw)


def test_encrypted_extensions_from_the_offer():
    assert told(extensions_breaches(encrypted(NAME, ALPN), OFFER, -1)) == []
    early = offer_of(hello_13(extension(42, b"")))
    assert told(extensions_breaches(encrypted(extension(42, b"")), early, 0)) == []
    assert told(extensions_breaches(encrypted(extension(42, b"")), early, None)) == []  # its ServerHello was not seen
    assert told(extensions_breaches(encrypted(NAME), None, -1)) == []


@pytest.mark.parametrize(
    ("sent", "code", "detail"),
    [
        (
            extension(28, b"\1\0"), "not_offered",
            "the EncryptedExtensions has the extension record_size_limit, which the client did not offer",
        ),
        (
            extension(51, b""), "misplaced_extension",
            "the extension key_share must not be in the message EncryptedExtensions",
        ),
        (ALPN + ALPN, "repeated_extension", "the EncryptedExtensions has the extension {} more than once"),
        (alpn(b"h2", b"h2"), "faulty_answer", "the server answers ALPN with 2 protocols, not one"),
        (alpn(b"h3"), "not_offered", "the server chose 'h3' as the protocol, which the client did not offer"),
    ],
)  # fmt: skip
def test_encrypted_extensions_against_the_rules(sent, code, detail):
    wanted = code, detail.format("application_layer_protocol_negotiation")
    assert told(extensions_breaches(encrypted(sent), OFFER, -1)) == [wanted]


def test_early_data_needs_a_pre_shared_key():
    early = offer_of(hello_13(extension(42, b"")))
    assert told(extensions_breaches(encrypted(extension(42, b"")), early, -1)) == [
        ("faulty_answer", "the server accepts early data, and has chosen no pre-shared key")
    ]
    assert told(extensions_breaches(encrypted(extension(42, b"")), early, 1)) == [
        ("faulty_answer", "the server accepts early data, and has chosen the pre-shared key with index 1, not the first one")
    ]


def test_certificates():
    assert told(certificate_breaches(certificate(), OFFER, ())) == []
    assert told(certificate_breaches(certificate(CERTIFICATE, b"", extension(18, b"\0\5\0\3abc")), OFFER, ())) == []
    assert told(certificate_breaches(certificate(RAW_KEY), OFFER, (20,))) == []  # a raw key was agreed on
    assert told(certificate_breaches(certificate(RAW_KEY), OFFER, None)) == []  # nobody knows
    assert told(certificate_breaches(certificate(RAW_KEY), OFFER, ())) == [
        (
            "not_offered",
            "the server sent a raw public key instead of a certificate, and no such certificate type was agreed on",
        )
    ]
    assert told(certificate_breaches(certificate(CERTIFICATE, b"x"), OFFER, ())) == [
        ("faulty_answer", "the Certificate of the server has a certificate_request_context that is not empty")
    ]
    asked = "the Certificate has the extension status_request, which the client did not offer"
    assert told(certificate_breaches(certificate(CERTIFICATE, b"", extension(5, b"\1\0\0\1x")), OFFER, ())) == [
        ("not_offered", asked)
    ]
    assert told(certificate_breaches(certificate(CERTIFICATE, b"", extension(5, b"\1\0\0\1x")), None, ())) == []


def test_a_raw_key_is_known_by_its_first_bytes():
    assert is_raw_key(RAW_KEY)
    assert not is_raw_key(CERTIFICATE)
    for der in (RAW_KEY, CERTIFICATE):
        assert not any(is_raw_key(der[:n]) for n in range(5))
    assert not is_raw_key(b"\x30\xff" * 2)


def test_requests():
    sound = b"\0\x0d\0\4\0\2\4\3"
    for context, later, wanted in (
        (b"", False, []),
        (b"x", True, []),
        (
            b"x", False,
            ["the CertificateRequest has a certificate_request_context that is not empty in the handshake"],
        ),
    ):  # fmt: skip
        raw = b"\x0d\0\0\0" + listed(context, 1) + listed(sound)
        assert [detail for _, detail in told(request_breaches(read(CertificateRequest13, raw), later))] == wanted
    bare = read(CertificateRequest13, b"\x0d\0\0\0\0" + listed(b"\x1a\x1a\0\0"))
    assert told(request_breaches(bare, False)) == [("faulty_answer", "the CertificateRequest has no signature_algorithms")]


@pytest.mark.parametrize(
    ("sent", "suite", "wanted"),
    [
        (exchange(), RSA, []),
        (exchange(scheme=b"\4\3"), ECDSA, []),
        (exchange(scheme=b"\x08\7"), ECDSA, ["the server signed with ed25519, which the client did not offer"]),
        (exchange(curve=b"\0\x18"), RSA, ["the server chose secp384r1 as the group, which the client did not offer"]),
        (
            exchange(scheme=b"\4\3"), RSA,
            [
                "the server signed with ecdsa_secp256r1_sha256, and the cipher suite "
                "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 needs a key of the kind RSA"
            ],
        ),
    ],
)  # fmt: skip
def test_key_exchanges(sent, suite, wanted):
    assert [detail for _, detail in told(exchange_breaches(sent, OLD, suite))] == wanted


def test_a_key_exchange_without_an_offer():
    strange = exchange(curve=b"\0\x18", scheme=b"\xee\xee")
    assert told(exchange_breaches(strange, None, RSA)) == []
    assert told(exchange_breaches(strange, offer_of(hello(suites=ECDHE_RSA)), None)) == []  # no groups, no schemes: all


def test_schemes_of_both_sides():
    assert told(scheme_breaches(0, 0x0403, (0x0403,), False)) == []
    assert told(scheme_breaches(0, 0x0403, (0x0804,), True)) == [
        ("not_offered", "the client signed with ecdsa_secp256r1_sha256, which the server did not offer")
    ]


def test_tickets_and_key_updates():
    for lifetime, broken in ((604_800, False), (604_801, True)):
        raw = b"\4\0\0\0" + lifetime.to_bytes(4, "big") + b"\0\0\0\0\0" + listed(b"ticket") + b"\0\0"
        found = told(ticket_breaches(read(NewSessionTicket13, raw)))
        assert (
            found
            == [("faulty_answer", f"the ticket has a lifetime of {lifetime} seconds, over the 604800 of seven days")] * broken
        )
    assert told(ticket_breaches(read(NewSessionTicket, b"\4\0\0\0\xff\xff\xff\xff" + listed(b"ticket")))) == []
    assert told(update_breaches(read(KeyUpdate, b"\x18\0\0\0\1"), 0)) == []
    assert told(update_breaches(read(KeyUpdate, b"\x18\0\0\0\2"), 1)) == [
        ("faulty_answer", "the server sent a KeyUpdate with request_update 2, which is neither 0 nor 1")
    ]
