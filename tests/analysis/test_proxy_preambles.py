"""PROXY, SOCKS and CONNECT: the real client, the target, and never a password."""

import ipaddress
import json
import struct

import pytest

from analyzer.analysis.proxy_preambles import (
    MAX_HEADER,
    SIGNATURE,
    http_connect,
    http_request,
    proxy_v1,
    proxy_v2,
    socks4,
    socks5,
)


def tlv(kind, value):
    return struct.pack(">BH", kind, len(value)) + value


def v2(body, command=0x21, family=0x11):
    return SIGNATURE + struct.pack(">BBH", command, family, len(body)) + body


IPV4 = bytes([203, 0, 113, 77, 10, 0, 0, 9]) + struct.pack(">HH", 55555, 443)


def test_proxy_1():
    line = b"PROXY TCP4 203.0.113.77 10.0.0.9 55555 443\r\n"
    found, n, back = proxy_v1(line + b"more", b"")
    assert (n, back, found["protocol"], found["version"]) == (len(line), 0, "proxy", "1")
    assert found["client"] == {"address": "203.0.113.77", "port": 55555}
    assert found["server"] == {"address": "10.0.0.9", "port": 443}
    found, n, _ = proxy_v1(b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n", b"")
    assert found["client"] == {"address": "2001:db8::1", "port": 1}
    found, n, _ = proxy_v1(b"PROXY UNKNOWN\r\n", b"")
    assert (found["client"], n) == (None, 15)


@pytest.mark.parametrize(
    "line",
    [
        b"PROXY TCP4 203.0.113.77 10.0.0.9 55555 443",
        b"PROXY TCP4 203.0.113.777 10.0.0.9 55555 443\r\n",
        b"PROXY TCP4 203.0.113.77 10.0.0.9 55555 70000\r\n",
        b"PROXY TCP4 203.0.113.77 10.0.0.9 55555\r\n",
        b"PROXY UDP4 203.0.113.77 10.0.0.9 1 2\r\n",
        b"PROXY TCP4 " + b"1" * 100 + b"\r\n",
        b"",
    ],
)
def test_what_is_no_proxy_1(line):
    assert proxy_v1(line, b"") is None


def test_proxy_2_with_tlvs():
    ssl = bytes([1]) + struct.pack(">I", 0) + tlv(0x21, b"TLSv1.3") + tlv(0x22, b"client.test")
    extra = (
        tlv(1, b"h2")
        + tlv(2, b"a.test")
        + tlv(0x20, ssl)
        + tlv(4, b"\0" * 3)
        + tlv(0xEA, b"\x01vpce-08")
        + tlv(0xE0, b"\xff\0")
    )
    data = v2(IPV4 + extra)
    found, n, back = proxy_v2(data + b"\x16\x03", b"")
    assert (n, back, found["version"]) == (len(data), 0, "2")
    assert found["client"] == {"address": "203.0.113.77", "port": 55555}
    assert found["server"] == {"address": "10.0.0.9", "port": 443}
    assert found["details"] == {
        "alpn": "h2", "authority": "a.test", "ssl_client": "0x01", "ssl_verify": "0", "ssl_version": "TLSv1.3",
        "ssl_cn": "client.test", "aws_vpce_id": "vpce-08", "0xe0": "ff00",
    }  # fmt: skip


def test_proxy_2_of_other_kinds():
    wide = ipaddress.ip_address("2001:db8::1").packed + ipaddress.ip_address("::1").packed + struct.pack(">HH", 1, 2)
    assert proxy_v2(v2(wide, family=0x21), b"")[0]["client"] == {"address": "2001:db8::1", "port": 1}
    local, n, _ = proxy_v2(v2(b"", command=0x20, family=0), b"")
    assert (local["client"], local["details"], n) == (None, {"command": "local"}, 16)
    assert proxy_v2(v2(IPV4[:8]), b"") is None
    assert proxy_v2(v2(IPV4, command=0x11), b"") is None
    whole = v2(IPV4 + tlv(2, b"a.test"))
    assert all(proxy_v2(whole[:n], b"") is None for n in range(len(whole)))
    assert proxy_v2(v2(IPV4 + b"\x02\x00\xff" + b"a"), b"")[0]["details"] == {}


def test_socks_4():
    found, n, back = socks4(b"\x04\x01\x01\xbb\x0a\0\0\x02me\0", b"\0\x5a" + bytes(6))
    assert (n, back, found["version"], found["user"], found["status"]) == (11, 8, "4", "me", 90)
    assert found["target"] == {"host": "10.0.0.2", "port": 443}
    found, n, back = socks4(b"\x04\x01\x01\xbb\0\0\0\x01\0a.test\0", b"")
    assert (n, back, found["version"], found["user"], found["status"]) == (16, 0, "4a", None, None)
    assert found["target"] == {"host": "a.test", "port": 443}
    assert socks4(b"\x04\x01\x01\xbb\0\0\0\x01\0a.test", b"") is None
    assert socks4(b"\x04\x03\x01\xbb\x0a\0\0\x02\0", b"") is None


def test_socks_5():
    client = b"\5\2\0\2" + b"\1\2me\6secret" + b"\5\1\0\3\6a.test\x01\xbb"
    server = b"\5\2" + b"\1\0" + b"\5\0\0\1" + bytes(6)
    found, n, back = socks5(client, server)
    assert (n, back, found["user"], found["status"]) == (len(client), len(server), "me", 0)
    assert found["target"] == {"host": "a.test", "port": 443}
    assert "secret" not in json.dumps(found)
    found, n, back = socks5(b"\5\1\0\5\1\0\4" + bytes(15) + b"\1\x01\xbb", b"\5\0\5\4\0\3\2ab\0\0")
    assert (found["target"]["host"], found["status"], n, back) == ("::1", 4, 25, 11)
    for cut in range(len(client)):
        assert socks5(client[:cut], server) is None


def test_connect():
    request = b"CONNECT a.test:443 HTTP/1.1\r\nUser-Agent: curl/8.5\r\nProxy-Authorization: Basic c2VjcmV0\r\n\r\n"
    found, n, back = http_connect(request, b"HTTP/1.1 200 ok\r\nContent-Length: 9\r\n\r\n")
    assert (n, back, found["status"], found["user_agent"]) == (len(request), 38, 200, "curl/8.5")
    assert found["target"] == {"host": "a.test", "port": 443}
    assert "c2VjcmV0" not in json.dumps(found)
    refused = b"HTTP/1.1 407 no\r\nContent-Length: 3\r\n\r\nabc"
    found, n, back = http_connect(request, refused + b"HTTP/1.1 200 ok\r\n\r\n")
    assert (found["status"], back) == (407, len(refused))
    assert http_connect(request[:-1], b"") is None
    assert http_connect(b"CONNECT " + b"a" * MAX_HEADER + b" HTTP/1.1\r\n\r\n", b"") is None


def test_a_request_in_plaintext():
    found, n, back = http_request(b"GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n", b"")
    assert (found["protocol"], found["target"], n, back) == ("http", {"host": "a.test", "port": None}, 33, 0)
    assert http_request(b"hello you HTTP/1.1\r\n\r\n", b"") is None
    assert http_request(b"", b"") is None
