"""The text of values: what tshark 4.6 prints for each type."""

import pytest

from analyzer.filters.field_table import field_table
from analyzer.filters.field_text import MISSING, seconds_text, writer_of, writer_of_type
from analyzer.filters.field_type import FieldType


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("tcp.srcport", 443, "443"),
        ("tcp.flags", 0x18, "0x0018"),
        ("ip.id", 1, "0x0001"),
        ("icmp.ident", 1234, "1234"),
        ("tcp.flags.syn", True, "True"),
        ("tcp.flags.syn", False, "False"),
        ("eth.src", b"\0\0\x5e\0\x53\x0a", "00:00:5e:00:53:0a"),
        ("tcp.payload", b"\x16\x03", "1603"),
        ("tls.handshake.extensions.session_ticket", b"", MISSING),
        ("ip.src", b"\xc0\0\2\x0a", "192.0.2.10"),
        ("ipv6.src", b"\x20\x01\x0d\xb8" + bytes(11) + b"\1", "2001:db8::1"),
        ("x509af.algorithm.id", bytes.fromhex("2a8648ce3d040302"), "1.2.840.10045.4.3.2"),
        ("x509af.algorithm.id", bytes.fromhex("8837"), "2.999"),
        ("x509af.algorithm.id", bytes.fromhex("2a86"), "2a86"),
        ("frame.time", 1_793_610_000_000_500_000, "2026-11-02T09:00:00.000500000+0000"),
        ("frame.time_utc", 1_793_610_000_000_500_000, "2026-11-02T09:00:00.000500000Z"),
        ("frame.time_epoch", 1_793_610_000_000_500_000, "1793610000.000500000"),
        ("frame.time", 1 << 62, "2116-02-20T23:53:38.427387904+0000"),
        ("frame.time", 10**21, "1000000000000.000000000"),
        ("frame.time_delta", -1, "-0.000000001"),
        ("tls.handshake", None, "1"),
        ("http.host", "caf\udcff", "caf\ufffd"),
        ("eth.src.oui", 0x5E, "94"),
        ("ntp.reftime", 0, "NULL"),
        ("ntp.xmt", 1_793_610_000_500_000_000, "2026-11-02T09:00:00.500000000Z"),
        ("tcp.options.mss", b"\2\4\5\xb4", "020405b4"),
    ],
)
def test_a_value_has_the_text_of_its_field(name, value, text):
    assert writer_of(field_table().get(name))(value) == text


def test_what_an_expression_computes_has_colons():
    assert writer_of_type(FieldType.BYTES)(b"\xc6\x33") == "c6:33"
    assert writer_of_type(FieldType.UINT)(0x18) == "24"
    assert writer_of_type(FieldType.FLOAT)(1.5) == "1.5"


def test_seconds_have_nine_digits():
    assert seconds_text(1_000_000_001) == "1.000000001"
