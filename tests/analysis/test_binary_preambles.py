"""Requests of binary protocols for TLS, whole and cut at every byte."""

import struct

from analyzer.analysis.binary_preambles import amqp, ldap, mysql, postgresql, rdp, tds


def prelogin(kind, encryption, instance=b"\0", version=bytes([16, 0, 0x10, 0, 0, 0])):
    options, values, at = b"", b"", 16
    for token, value in ((0, version), (1, bytes([encryption])), (2, instance)):
        options += struct.pack(">BHH", token, at, len(value))
        values += value
        at += len(value)
    body = options + b"\xff" + values
    return struct.pack(">BBHHBB", kind, 1, 8 + len(body), 0, 0, 0) + body


def test_postgresql():
    request = struct.pack(">II", 8, 80877103)
    found, n, back = postgresql(request, b"S")
    assert (found["protocol"], found["details"], n, back) == ("postgresql", {"answer": "S"}, 8, 1)
    found, n, back = postgresql(struct.pack(">II", 8, 80877104) + request, b"NS")
    assert (found["details"], n, back) == ({"gssenc_answer": "N", "answer": "S"}, 16, 2)
    assert all(postgresql(request[:n], b"S") is None for n in range(8))


def test_mysql():
    greeting = b"\x10\0\0\0\x0a8.0.28\0" + bytes(8)
    request = b"\x20\0\0\x01\x85\xae\xff\x19" + bytes(28)
    found, n, back = mysql(request, greeting)
    assert (found["details"], n, back) == ({"server_version": "8.0.28"}, 36, len(greeting))
    assert all(mysql(request, greeting[:n]) is None for n in range(len(greeting)))
    assert mysql(b"\x20\0\0\x01\x85\0\xff\x19" + bytes(28), greeting) is None


def test_rdp():
    ask = b"\xe0\0\0\0\0\0Cookie: mstshash=alice\r\n\x01\0\x08\0\x0b\0\0\0"
    request = b"\x03\0" + struct.pack(">HB", 5 + len(ask), len(ask)) + ask
    answer = bytes.fromhex("030000130ed000001234000200080001000000")
    found, n, back = rdp(request, answer)
    assert (found["user"], n, back) == ("alice", len(request), 19)
    assert found["details"] == {"requested": "tls credssp credssp_early", "chosen": "tls"}
    refusal = bytes.fromhex("030000130ed000001234000300080005000000")
    assert rdp(request, refusal)[0]["status"] == 5
    assert all(rdp(request[:n], b"") is None for n in range(len(request)))


def test_tds():
    ask, answer = prelogin(0x12, 1, b"MSSQLSERVER\0"), prelogin(4, 3, version=bytes([15, 0, 0x07, 0xD0, 0, 0]))
    found, n, back = tds(ask, answer)
    assert (n, back) == (len(ask), len(answer))
    assert found["details"] == {
        "client_version": "16.0.4096", "client_encryption": "on", "server_version": "15.0.2000",
        "server_encryption": "required", "instance": "MSSQLSERVER",
    }  # fmt: skip
    head = bytes.fromhex("1201010000000000")
    assert tds(ask + head, answer + head)[1:] == (len(ask) + 8, len(answer) + 8)
    assert all(tds(ask[:n], b"") is None for n in range(len(ask)))


def test_ldap():
    ask = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
    found, n, back = ldap(ask, bytes.fromhex("300c02010178070a010004000400"))
    assert (found["status"], n, back) == (0, len(ask), 14)
    assert all(ldap(ask[:n], b"") is None for n in range(len(ask)))
    assert ldap(b"x" * 20 + b"1.3.6.1.4.1.1466.20037", b"") is None


def test_amqp():
    found, n, back = amqp(b"AMQP\x02\1\0\0", b"AMQP\x02\1\0\0")
    assert (found["version"], n, back) == ("1.0.0", 8, 8)
    assert amqp(b"AMQP\0\1\0\0", b"") is None
