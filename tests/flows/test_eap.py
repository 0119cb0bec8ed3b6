"""EAP packets and RADIUS packets, whole, cut, and lying about their length."""

import random

from analyzer.flows.eap import METHODS, read_eap, read_radius


def test_a_request_with_fragments():
    found = read_eap(b"\1\7\0\x0e\x0d\xc0\0\0\4\0abcdPAD")
    assert found is not None
    assert (found.code, found.identifier, found.type, found.data) == (1, 7, 13, b"abcd")
    assert (found.total, found.more, found.start, found.version, found.missing) == (1024, True, False, -1, 0)


def test_a_start_carries_no_tls():
    found = read_eap(b"\1\7\0\x0a\x2b\x21\0\4\0\2")
    assert found is not None
    assert (METHODS[found.type], found.start, found.version, found.data) == ("EAP-FAST", True, 1, b"")


def test_outer_values_of_teap_are_no_tls():
    found = read_eap(b"\2\7\0\x13\x37\x91" + b"\0\0\0\4" + b"\0\0\0\3" + b"abTLV"[:2] + b"TLV")
    assert found is not None
    assert (found.total, found.data, found.version) == (4, b"ab", 1)


def test_a_packet_that_is_cut():
    found = read_eap(b"\2\7\0\x20\x19\0abcdef")
    assert found is not None
    assert (found.data, found.missing) == (b"abcdef", 20)


def test_other_bytes_are_no_eap():
    assert read_eap(b"") is read_eap(b"\1\1\0") is read_eap(b"\7\1\0\4") is read_eap(b"\1\1\0\3") is None
    assert read_eap(b"\3\1\0\4padding") == (3, 1, 0, b"", -1, False, False, -1, 4, 0)


def test_the_attributes_of_radius_are_joined_in_order():
    body = b"\x01\5bob" + b"\x4f\4ab" + b"\x18\3S" + b"\x4f\4cd"
    data = b"\1\x2a" + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body
    assert read_radius(data) == (1, 42, b"abcd", b"S", b"bob", b"", (b"bob", b"", b"", b""))
    for n in range(len(data)):
        assert read_radius(data[:n]) is None
    assert read_radius(data + b"\0") is None


def test_no_bytes_are_too_odd():
    source = random.Random(1)
    for _ in range(2000):
        data = bytes([source.randrange(5)]) + source.randbytes(source.randrange(40))
        read_eap(data)
        read_radius(data[:2] + len(data).to_bytes(2, "big") + data[4:])
