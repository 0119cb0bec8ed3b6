"""The text of an address, and the endpoints of a key."""

import ipaddress
import random

import pytest

from analyzer.packet.addresses import address_order, address_text, endpoints


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("c0000201", "192.0.2.1"),
        ("ff000a09", "255.0.10.9"),
        ("00" * 16, "::"),
        ("00" * 15 + "01", "::1"),
        # RFC 5952 section 4.2: a single group is not shortened. The longest run is; if two are equal, the first.
        ("20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"),
        ("20010000000000010000000000000001", "2001:0:0:1::1"),
        ("20010db8000000000001000000000001", "2001:db8::1:0:0:1"),
        ("20010DB800000000000000000000ABCD", "2001:db8::abcd"),
        ("00000000000000000000ffffc0000201", "::ffff:192.0.2.1"),
    ],
)
def test_addresses(address, text):
    assert address_text(bytes.fromhex(address)) == text


def test_texts_read_back_as_the_same_address():
    chance = random.Random(5952)
    for _ in range(500):
        raw = bytes(chance.choice((0, 0, 0, chance.randrange(256))) for _ in range(16))
        assert ipaddress.IPv6Address(address_text(raw)).packed == raw


def test_the_endpoints_of_a_key():
    assert endpoints(bytes.fromhex("c0000201c633640201bbc000")) == (("192.0.2.1", 443), ("198.51.100.2", 49152))
    assert endpoints(bytes(15) + b"\1" + bytes(15) + b"\2" + b"\0\x35\xff\xff") == (("::1", 53), ("::2", 65535))


@pytest.mark.parametrize("n_bytes", [0, 4, 11, 13, 20, 35, 37])
def test_bytes_that_are_not_a_key(n_bytes):
    with pytest.raises(ValueError, match="bytes"):
        endpoints(bytes(n_bytes))


@pytest.mark.parametrize("n_bytes", [0, 3, 5, 17])
def test_bytes_that_are_not_an_address(n_bytes):
    with pytest.raises(ValueError, match="bytes"):
        address_text(bytes(n_bytes))


def test_addresses_are_sorted_by_their_numbers():
    texts = ["2001:db8::1", "10.0.0.10", "::1", "10.0.0.9", "9.0.0.1"]
    assert sorted(texts, key=address_order) == ["9.0.0.1", "10.0.0.9", "10.0.0.10", "::1", "2001:db8::1"]
