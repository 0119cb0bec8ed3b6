"""OCSP responses as read, compared with the cryptography library's reader, and truncated or changed anywhere."""

import random

import pytest
from authorities import AT, DAY, SIGN_OCSP, authority, issue, leaf, respond
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.ocsp import OCSPCertStatus

from analyzer.x509.der import BIT_STRING
from analyzer.x509.ocsp_response import ANSWERS, read_response

DELEGATE = issue("delegate", "authority", SIGN_OCSP)
RESPONSES = [
    respond(leaf(), authority()),
    respond(leaf(), authority(), next_update=None, algorithm=hashes.SHA384()),
    respond(leaf(), authority("rsa"), OCSPCertStatus.UNKNOWN, include=[leaf(), DELEGATE]),
    respond(leaf(), authority(), OCSPCertStatus.REVOKED, revoked_at=AT - DAY, extensions=[(x509.OCSPNonce(b"1234"), False)]),
    respond(leaf(), authority(), OCSPCertStatus.REVOKED, revoked_at=AT, reason=x509.ReasonFlags.privilege_withdrawn),
    respond(leaf(serial=1 << 150), authority(), signer=DELEGATE, include=[DELEGATE], extensions=[(x509.OCSPNonce(b"x"), True)]),
]


@pytest.mark.parametrize("response", RESPONSES)
def test_all_fields_are_as_the_library_reads_them(response):
    ours, theirs = read_response(response), ocsp.load_der_ocsp_response(response)
    assert ours.error is None
    assert ours.signed == theirs.tbs_response_bytes
    assert ours.signature == theirs.signature
    assert ours.produced_at == theirs.produced_at_utc
    assert ours.responder == (theirs.responder_key_hash or theirs.responder_name.public_bytes())
    assert [each.hex() for each in ours.certificates] == [each.public_bytes(Encoding.DER).hex() for each in theirs.certificates]
    [answer] = ours.answers
    assert answer.serial == theirs.serial_number
    assert answer.hashed == (theirs.hash_algorithm.name, theirs.issuer_name_hash, theirs.issuer_key_hash)
    assert answer.status == theirs.certificate_status.name.lower()
    assert (answer.this_update, answer.next_update) == (theirs.this_update_utc, theirs.next_update_utc)
    assert answer.revoked_at == theirs.revocation_time_utc
    assert answer.reason == (theirs.revocation_reason.value if theirs.revocation_reason else None)


@pytest.mark.parametrize("response", RESPONSES[:3])
def test_every_truncation_is_reported(response):
    for n_bytes in range(len(response)):
        assert read_response(response[:n_bytes]).error.startswith("it cannot be read"), n_bytes


def place_parts(parts, data):
    """Check that the parts are in these bytes in this order, without overlap. Return how many bytes are in none of them."""
    position = 0
    for part in parts:
        position = data.index(part, position) + len(part)
    return len(data) - sum(map(len, parts))


def test_mutations_lose_no_byte_without_a_report():
    """Without a parse error each part has as many bytes as in the library's result; only tags and lengths are between them."""
    generator = random.Random(6960)
    n_read = 0
    for _ in range(2000):
        whole = generator.choice(RESPONSES)
        data = bytearray(whole)
        for _ in range(generator.choice((1, 2, 5))):
            data[generator.randrange(len(data))] = generator.choice(
                (0, 1, 0x30, 0x80, 0xA0, 0xA1, 0xFF, generator.randrange(256))
            )
        data = bytes(data)
        found = read_response(data)
        assert found.error or len(found.answers) <= ANSWERS
        if found.error:
            continue
        theirs = ocsp.load_der_ocsp_response(whole)
        certificates = [each.public_bytes(Encoding.DER) for each in theirs.certificates]
        expected = [theirs.tbs_response_bytes, theirs.signature, *certificates]
        parts = [found.signed, found.signature, *found.certificates]
        assert [len(part) for part in parts] == [len(part) for part in expected]
        assert place_parts(parts, data) == place_parts(expected, whole)
        start = data.index(found.signed + found.algorithm) + len(found.signed + found.algorithm)
        assert data[start] == BIT_STRING
        for answer in found.answers:
            assert all(value in found.signed for value in answer.extensions.values())
            assert answer.hashed is None or all(digest in found.signed for digest in answer.hashed[1:])
        assert found.responder in found.signed
        n_read += 1
    assert n_read > 800


def test_the_hashes_of_a_name_are_octets():
    [answer] = read_response(respond(leaf(), authority(), algorithm=hashes.SHA256())).answers
    digest = hashes.Hash(hashes.SHA256())
    digest.update(authority().subject.public_bytes())
    assert answer.hashed[1] == digest.finalize()


@pytest.mark.parametrize("status", [b"", b"\0\0", b"\x7f" * 20_000])
def test_a_status_is_one_octet(status):
    content = b"\x0a\x82" + len(status).to_bytes(2, "big") + status
    found = read_response(b"\x30\x82" + len(content).to_bytes(2, "big") + content)
    assert f"{len(status)} octets" in found.error
