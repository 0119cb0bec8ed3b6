"""Authentication after the handshake, message by message."""

import hashlib
import zlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hierarchy import make_root
from hypothesis import given
from hypothesis import strategies as st

from analyzer.analysis.authenticity import judge
from analyzer.tls.handshake.authentication import Authentication
from analyzer.tls.handshake.post_handshake import PostHandshake, first_certificate
from analyzer.tls.limits import MAX_REQUESTS


def message(number: int, content: bytes) -> bytes:
    return bytes([number]) + len(content).to_bytes(3, "big") + content


@given(st.binary(min_size=4, max_size=60))
def test_no_certificate_message_raises(content: bytes):
    context, found = first_certificate(message(11, content))
    assert context is None or context in content
    assert found is None or found in content
    assert first_certificate(message(25, content)) == (None, None)


def test_requests_after_the_handshake_are_bounded():
    later = PostHandshake(Authentication(), hashlib.sha256(b""))
    for number in range(4 * MAX_REQUESTS):
        later.take(1, message(13, b"\x02" + number.to_bytes(2, "big") + b"\0\0"), None)
    assert len(later._requests) == MAX_REQUESTS


def test_what_comes_after_a_handshake_may_be_empty():
    authentication = Authentication()
    later = PostHandshake(authentication, hashlib.sha256(b""))
    for role, number in ((1, 13), (0, 11), (0, 15)):
        later.take(role, bytes([number, 0, 0, 0]), None)
    assert [signed.problem for signed in authentication.signed] == ["0 bytes hold no signature of 0"]
    assert first_certificate(bytes([11, 0, 0, 0])) == (None, None)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_client_signs_with_the_certificate_that_it_sent_compressed_or_not(compressed: bool):
    leaf = make_root("Client")
    listed = len(leaf.der).to_bytes(3, "big") + leaf.der + b"\0\0"
    body = b"\1\7" + len(listed).to_bytes(3, "big") + listed
    request = message(13, b"\1\7" + b"\0\0")
    certificate = message(11, body)
    if compressed:
        packed = zlib.compress(body)
        certificate = message(25, b"\0\1" + len(body).to_bytes(3, "big") + len(packed).to_bytes(3, "big") + packed)
    running = hashlib.sha256(b"the handshake")
    digest = hashlib.sha256(b"the handshake" + request + certificate).digest()
    signature = leaf.key.sign(bytes([32]) * 64 + b"TLS 1.3, client CertificateVerify\0" + digest, ec.ECDSA(hashes.SHA256()))
    authentication = Authentication()
    later = PostHandshake(authentication, running)
    later.take(1, request, None)
    later.take(0, certificate, None)
    later.take(0, message(15, b"\4\3" + len(signature).to_bytes(2, "big") + signature), None)
    (signed,) = authentication.signed
    assert signed.certificate == leaf.der
    assert judge(signed) == ("verified", "")
