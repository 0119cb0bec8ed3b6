"""Authentication of a handshake, message by message; whole sessions are in analysis/test_authenticity.py."""

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.tls.handshake.authentication import Authentication, compare, verify13, worse
from analyzer.tls.handshake.transcript import Transcript


def message(number: int, content: bytes) -> bytes:
    return bytes([number]) + len(content).to_bytes(3, "big") + content


def test_the_worst_result_counts():
    results = [None, "verified", "unverifiable", "failed"]
    for first, second in itertools.product(results, repeat=2):
        assert worse(first, second) == max(first, second, key=results.index)


def test_a_finished_is_compared_whole():
    assert compare(message(20, b"twelve bytes"), b"twelve bytes") == "verified"
    assert compare(message(20, b"twelve bytes"), b"twelve byte") == "failed"
    assert compare(message(20, b""), b"twelve bytes") == "failed"
    assert compare(message(20, b"twelve bytes"), None) == "unverifiable"


def test_the_signed_content_in_tls_1_3():
    digest = hashlib.sha256(b"").digest()
    signed = verify13(1, message(15, b"\x08\x04\0\3sig"), digest, b"certificate")
    assert signed.content == b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + digest
    assert (signed.scheme, signed.signature, signed.problem) == (0x0804, b"sig", "")


@pytest.mark.parametrize("content", [b"", b"\x08", b"\x08\x04\0", b"\x08\x04\0\4sig", b"\x08\x04\0\2sig"])
def test_a_signature_with_a_wrong_length_is_named(content: bytes):
    assert "hold no signature" in verify13(0, message(15, content), bytes(32), None).problem


@given(st.lists(st.tuples(st.integers(0, 1), st.binary(min_size=4, max_size=80), st.booleans()), max_size=12), st.booleans())
def test_no_messages_raise(said: list[tuple[int, bytes, bool]], tls13: bool):
    transcript = Transcript()
    for role, raw, whole in said:
        transcript.add_message(role, raw, whole)
    for hashed in (hashlib.sha256,) if tls13 else (hashlib.sha256, None):
        authentication = Authentication()
        authentication.process(transcript, 0x0303, tls13, hashed, None)
        assert set(authentication.finished) <= {None, "unverifiable"}
