"""The first bytes of a connection to port 443 show whether it can be TLS."""

import pytest

from analyzer.engine.other_traffic import KEPT, other_traffic

KEY = bytes((10, 0, 0, 1, 10, 0, 0, 2, 0xC3, 0x50))


@pytest.mark.parametrize(
    ("port", "head", "found"),
    [
        (443, b"GET / HTTP/1.1\r\nHost: a\r\n", True),
        (443, bytes(12), True),
        (443, bytes(11), True),
        (443, b"a", True),
        (443, b"", False),
        (443, b"\x16", False),
        (443, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03", False),
        (443, b"\x80\x2e\x01\x03", False),
        (443, b"\x16\x03\x01\x02\x00\x77", True),
        (443, b"\x16\x03\x01" + bytes(20), True),
        (80, b"GET / HTTP/1.1\r\nHost: a\r\n", False),
        (0xBB01, b"GET / HTTP/1.1\r\nHost: a\r\n", False),
    ],
)
def test_first_bytes(port: int, head: bytes, found: bool):
    event = other_traffic(KEY + port.to_bytes(2, "big"), head, 7, 9)
    assert (event is not None) == found
    if event is not None:
        assert (event.head, event.frame, event.at, event.session) == (head[:KEPT], 7, 9, -1)
