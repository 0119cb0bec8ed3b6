"""Certificates whose key is not of the kind that the cipher suite needs."""

import datetime

import pytest
from authorities import authority, der
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate
from sessions_by_hand import CLIENT, SERVER, Hand, client_hello, extension, message

from analyzer.analysis.certificate_fit import key_kind, unagreed_raw_key, unfit_certificate, unrequested_certificate
from analyzer.analysis.chain_schemes import unaccepted_signature
from analyzer.analysis.session_findings import session_findings
from analyzer.tls.suites import read_name

EC, RSA = der(authority("ec")), der(authority("rsa"))
RSA_KEY, ECDHE_RSA, ECDHE_ECDSA, ANONYMOUS = (
    read_name(f"TLS_{kind}_WITH_AES_128_CBC_SHA") for kind in ("RSA", "ECDHE_RSA", "ECDHE_ECDSA", "ECDH_anon")
)


def test_the_kind_of_a_key():
    assert (key_kind(EC), key_kind(RSA), key_kind(b""), key_kind(b"\x30\3\2\1\1")) == ("ec", "rsa", "", "")


@pytest.mark.parametrize(
    ("certificate", "suite", "version", "fits"),
    [
        (RSA, RSA_KEY, 0x0303, True),
        (EC, RSA_KEY, 0x0303, False),
        (EC, RSA_KEY, 0x0301, False),
        (RSA, ECDHE_ECDSA, 0x0302, False),
        (EC, ECDHE_ECDSA, 0x0302, True),
        (EC, ECDHE_RSA, 0x0302, False),
        (EC, ECDHE_RSA, 0x0303, True),  # its signature names the scheme
        (EC, ANONYMOUS, 0x0301, True),
        (b"", RSA_KEY, 0x0303, True),
        (EC, RSA_KEY, 0x0304, True),
    ],
)
def test_the_kind_that_a_suite_needs(certificate, suite, version, fits):
    found = unfit_certificate(certificate, suite, version)
    assert (found is None) == fits
    if found is not None:
        assert found[:2] == ("faulty_answer", "medium")


@pytest.mark.parametrize(("certificate", "wanted"), [(EC, [[4]]), (RSA, [])])
def test_a_session(certificate, wanted):
    hand = Hand()
    hand.handshake(CLIENT, client_hello(suites=b"\0\x2f"))
    hand.handshake(SERVER, message(2, b"\3\3" + b"S" * 32 + b"\0\0\x2f\0"))
    listed = len(certificate).to_bytes(3, "big") + certificate
    hand.handshake(SERVER, message(11, len(listed).to_bytes(3, "big") + listed), message(14))
    hand.end()
    found = [one for one in session_findings(hand.session) if one.code == "faulty_answer"]
    assert [one.frames for one in found] == wanted
    for one in found:
        needs = "and the cipher suite TLS_RSA_WITH_AES_128_CBC_SHA needs a key of the kind RSA"
        assert one.detail == f"the server's certificate has a key of the kind ec, {needs} (RFC 5246 section 7.4.2)"


@pytest.mark.parametrize(
    ("certificate", "types", "fits"),
    [
        (RSA, (1,), True),
        (RSA, (64, 2), False),
        (EC, (1, 64), True),
        (EC, (66,), True),
        (EC, (1, 2), False),
        (b"", (1,), True),
        (EC, (), False),
    ],
)
def test_the_kinds_that_a_server_requests(certificate, types, fits):
    found = unrequested_certificate(certificate, types)
    assert (found is None) == fits
    if found is not None:
        assert found[:2] == ("not_offered", "medium")


@pytest.mark.parametrize(("types", "wanted"), [(b"\1\x40", []), (b"\1\1", [[4]])])
def test_a_client_that_sends_what_was_not_requested(types, wanted):
    hand = Hand()
    hand.handshake(CLIENT, client_hello(suites=b"\0\x2f"))
    request = message(13, types + b"\0\2\4\1\0\0")
    hand.handshake(SERVER, message(2, b"\3\3" + b"S" * 32 + b"\0\0\x2f\0"), message(11, b"\0\0\0"), request, message(14))
    listed = len(EC).to_bytes(3, "big") + EC
    hand.handshake(CLIENT, message(11, len(listed).to_bytes(3, "big") + listed))
    hand.end()
    found = [one for one in session_findings(hand.session) if one.code == "not_offered"]
    assert [one.frames for one in found] == wanted
    for one in found:
        assert "a key of the kind ec, and the server requested rsa_sign" in one.detail


SPKI = load_der_x509_certificate(EC).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("role", "sent", "answered", "fits"),
    [(SERVER, SPKI, (), False), (SERVER, SPKI, (20,), True), (CLIENT, SPKI, (20,), False), (CLIENT, SPKI, (19,), True),
     (SERVER, EC, (), True), (SERVER, b"", (), True)],
    ids=["server, key", "server, agreed on", "client, key of the server", "client, agreed on", "certificate", "nothing"],
)  # fmt: skip
def test_a_raw_public_key_has_to_be_agreed_on(role, sent, answered, fits):
    assert (unagreed_raw_key(role, sent, answered) is None) == fits


def signed(issuer_key, algorithm) -> bytes:
    """A certificate that somebody else has signed."""
    name, other = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]) for text in ("leaf", "issuer"))
    begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(other).public_key(issuer_key.public_key())
    made = made.serial_number(1).not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=9))
    return made.sign(issuer_key, algorithm).public_bytes(Encoding.DER)


BY_EC, BY_ED = signed(ec.generate_private_key(ec.SECP256R1()), SHA384()), signed(ed25519.Ed25519PrivateKey.generate(), None)


@pytest.mark.parametrize(
    ("role", "listed", "accepted", "version", "severity"),
    [
        (SERVER, [BY_EC], (0x0403, 0x0401), 0x0303, "low"),
        (SERVER, [BY_EC], (0x0403, 0x0503), 0x0303, None),
        (SERVER, [BY_EC, BY_ED], (0x0503,), 0x0303, "low"),
        (SERVER, [BY_ED], (0x0807,), 0x0304, None),
        (SERVER, [BY_ED], (0x0403,), 0x0304, "info"),  # a server without another chain sends it all the same
        (SERVER, [BY_ED], (0x0403,), 0x0302, None),
        (CLIENT, [BY_ED], (0x0403,), 0x0303, "low"),
        (CLIENT, [BY_ED], (0x0403,), 0x0304, None),
        (SERVER, [RSA], (0x0403,), 0x0303, None),  # it has signed itself
        (SERVER, [SPKI], (0x0401,), 0x0303, None),
    ],
)
def test_how_certificates_are_signed(role, listed, accepted, version, severity):
    found = unaccepted_signature(role, listed, accepted, version)
    assert (None if found is None else found[1]) == severity
    if found is not None:
        assert found[0] == "unaccepted_signature"


@pytest.mark.parametrize(
    ("schemes", "others", "told"), [(b"\4\1", b"", True), (b"\4\1", b"\5\3", False), (b"\5\3", b"", False)]
)
def test_the_offer_of_a_session_decides(schemes, others, told):
    """A list for certificates is stronger than that for all signatures (RFC 9846 section 4.3.3)."""
    lists = [extension(kind, b"\0\2" + one) for kind, one in ((13, schemes), (50, others)) if one]
    hand = Hand()
    hand.handshake(CLIENT, client_hello(*lists, suites=b"\xc0\x2f"))
    hand.handshake(SERVER, message(2, b"\3\3" + b"S" * 32 + b"\0\xc0\x2f\0"))
    listed = len(BY_EC).to_bytes(3, "big") + BY_EC
    hand.handshake(SERVER, message(11, len(listed).to_bytes(3, "big") + listed), message(14))
    hand.end()
    codes = [one.code for one in session_findings(hand.session)]
    assert ("unaccepted_signature" in codes) == told
