"""Authentication after the handshake, message by message."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from analyzer.tls.handshake.authentication import Authentication
from analyzer.tls.handshake.post_handshake import PostHandshake, first_certificate
from analyzer.tls.limits import MAX_REQUESTS


def message(number: int, content: bytes) -> bytes:
    return bytes([number]) + len(content).to_bytes(3, "big") + content


@given(st.binary(min_size=4, max_size=60))
def test_no_certificate_message_raises(content: bytes):
    found = first_certificate(message(11, content))
    assert found is None or found in content


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
    assert first_certificate(bytes([11, 0, 0, 0])) is None
