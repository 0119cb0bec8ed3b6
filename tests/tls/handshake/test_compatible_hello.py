"""Hellos in the form of SSL 2.0 that offer later versions: what they say, and what is none."""

import struct

import pytest
from sessions_by_hand import client_hello

from analyzer.tls.handshake.compatible_hello import client_random_of, is_compatible, offered_suites_of, offered_version_of


def compatible(challenge: bytes = bytes(range(1, 33)), version: int = 0x0303, session_id: bytes = b"") -> bytes:
    specs = bytes.fromhex("00009c 0700c0 00002f")
    return struct.pack(">BHHHH", 1, version, len(specs), len(session_id), len(challenge)) + specs + session_id + challenge


def test_what_it_says():
    hello = compatible()
    assert is_compatible(hello)
    assert client_random_of(hello) == bytes(range(1, 33))
    assert offered_version_of(hello) == 0x0303
    assert offered_suites_of(hello) == (0x009C, 0x002F)


@pytest.mark.parametrize("length", [16, 24, 31])
def test_a_short_challenge_has_zeros_before_it(length: int):
    assert client_random_of(compatible(b"c" * length, session_id=b"s" * 16)) == bytes(32 - length) + b"c" * length


@pytest.mark.parametrize(
    "hello", [b"", b"\1", compatible()[:-1], compatible() + b"x", compatible(version=2), b"\2" + compatible()[1:]]
)
def test_what_is_none(hello: bytes):
    assert not is_compatible(hello)


def test_a_client_hello_with_its_own_header():
    hello = client_hello()
    assert not is_compatible(hello)
    assert (client_random_of(hello), offered_version_of(hello)) == (b"C" * 32, 0x0303)
    assert client_random_of(hello[:20]) == b""
