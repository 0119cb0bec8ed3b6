"""Detects TLS by its content, on any port and after any other protocol, and nowhere else."""

import dataclasses
import random
import struct

import pytest
from conversations import (
    ACK,
    CLIENT,
    SERVER,
    SYN,
    Segment,
    handshake_types,
    packetise,
    records,
    stream,
    talk,
    timeless,
)

from analyzer.engine.detection import (
    OF_EITHER,
    ciphertext_at,
    hello_at,
    is_closing,
    is_plain_alert,
    late_record_at,
    ssl2_hello_at,
)

C, S = CLIENT, SERVER

PRELUDES = {
    "smtp": [(S, b"220 a ESMTP\r\n"), (C, b"EHLO b\r\n"), (S, b"250 STARTTLS\r\n"), (C, b"STARTTLS\r\n"), (S, b"220 go\r\n")],
    "imap": [(S, b"* OK hi\r\n"), (C, b"a STARTTLS\r\n"), (S, b"a OK\r\n")],
    "pop3": [(S, b"+OK\r\n"), (C, b"STLS\r\n"), (S, b"+OK\r\n")],
    "ftp": [(S, b"220 \r\n"), (C, b"AUTH TLS\r\n"), (S, b"234 \r\n")],
    "ldap": [
        (C, bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"),
        (S, bytes.fromhex("300c02010178070a010004000400")),
    ],
    "xmpp": [(C, b"<stream:stream to='a'>"), (S, b"<features><starttls/>"), (C, b"<starttls/>"), (S, b"<proceed/>")],
    "postgresql": [(C, struct.pack(">II", 8, 80877103)), (S, b"S")],
    "mysql": [(S, b"\x45\0\0\0\x0a8.0.1\0" + bytes(62)), (C, b"\x20\0\0\x01\x85\xae\xff\x19\0\0\0\1\xe0" + bytes(23))],
    "irc": [(C, b"STARTTLS\r\n"), (S, b":a 670 b :go\r\n")],
    "rdp": [
        (C, bytes.fromhex("030000130ee000000000000100080001000000")),
        (S, bytes.fromhex("030000130ed000001234000200080001000000")),
    ],
    "connect": [(C, b"CONNECT a:443 HTTP/1.1\r\n\r\n"), (S, b"HTTP/1.1 200 OK\r\n\r\n")],
    "socks4": [(C, b"\x04\x01\x01\xbb\x0a\0\0\2me\0"), (S, b"\0\x5a" + bytes(6))],
    "socks5": [(C, b"\5\1\0"), (S, b"\5\0"), (C, b"\5\1\0\1\x0a\0\0\2\1\xbb"), (S, b"\5\0\0\1" + bytes(6))],
    "proxy1": [(C, b"PROXY TCP4 10.0.0.3 10.0.0.2 5 443\r\n")],
    "proxy2": [(C, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([10, 0, 0, 3, 10, 0, 0, 2, 0, 5, 1, 0xBB]))],
}

NAMES = {"connect": "http_connect", "socks4": "socks", "socks5": "socks", "proxy1": "proxy", "proxy2": "proxy"}


def joined(flights):
    """Return the flights, with consecutive flights of one side joined."""
    found = []
    for side, data in flights:
        if found and found[-1][0] == side:
            found[-1] = (side, found[-1][1] + data)
        else:
            found.append((side, data))
    return found


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("prelude", PRELUDES)
@pytest.mark.parametrize("mss", [1400, 1])
def test_tls_after_another_protocol(prelude, version, mss):
    flights = talk(version)
    plain = [timeless(record) for record in records(packetise(flights))]
    for whole in ([*PRELUDES[prelude], *flights], joined([*PRELUDES[prelude], *flights])):
        for ports in ((50000, 443), (443, 50000)):
            found = [timeless(record) for record in records(packetise(whole, mss=mss, ports=ports))]
            assert [record["client"]["port"] for record in found] == [ports[0]]
            found[0]["client"], found[0]["server"] = plain[0]["client"], plain[0]["server"]
            codes = [finding["code"] for finding in found[0]["findings"]]
            assert ("unusual_port" in codes) == (ports[1] != 443)
            found[0]["findings"] = [one for one in found[0]["findings"] if one["code"] != "unusual_port"]
            [before], found[0]["before"] = found[0]["before"], plain[0]["before"]
            assert before["protocol"] == NAMES.get(prelude, prelude)
            sizes = [sum(len(data) for side, data in PRELUDES[prelude] if side == one) for one in (C, S)]
            assert before["bytes"] == {"client": sizes[0], "server": sizes[1]}
            assert found == plain


def test_the_server_may_open_the_connection():
    flights = [(1 - side, data) for side, data in talk()]
    [record] = records(packetise(flights))
    assert record["client"]["port"] == 443
    assert handshake_types(record) == handshake_types(records(packetise(talk()))[0])


@pytest.mark.parametrize("swapped", [False, True])
def test_tls_after_more_bytes_than_are_searched(swapped):
    talkative = [(C, b"NOOP\r\n" * 8000), (S, b"200 OK\r\n" * 8000), (C, b"AUTH TLS\r\n"), (S, b"234\r\n")]
    segments = packetise([*talkative, *talk()], mss=200)
    hello = next(index for index, segment in enumerate(segments) if segment.payload[:2] == b"\x16\x03")
    if swapped:
        segments[hello], segments[hello + 1] = segments[hello + 1], segments[hello]
    [record] = records(segments)
    assert ("client_hello", "client") in handshake_types(record)
    assert ("server_hello", "server") in handshake_types(record)
    assert record["established"]


def test_no_session_where_there_is_no_tls():
    chance = random.Random(1)
    talks = [
        [(C, b"GET / HTTP/1.1\r\n\r\n"), (S, b"HTTP/1.1 200 OK\r\n\r\n" + chance.randbytes(300_000))],
        [(C, b"\x16\x03" * 5000), (S, b"\x16\x03\x01\x02\0\1\0" * 5000)],
        [(C, b"\x17\x03" * 5000), (S, b"\x80\x2e\1\0" * 5000)],
        [(C, b"SSH-2.0-a\r\n"), (S, b"SSH-2.0-b\r\n"), (C, chance.randbytes(100_000))],
    ]
    for flights in talks:
        for syn in (True, False):
            assert records(packetise(flights, mss=1400, syn=syn)) == []
            assert records(packetise([(side, data[:3000]) for side, data in flights], mss=1, syn=syn)) == []


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_capture_that_begins_in_the_middle(version):
    segments = packetise(talk(version), mss=60000, fin=False)
    data = [index for index, segment in enumerate(segments) if segment.payload]
    [record] = records(segments[data[6] :])
    assert record["decryption"]["status"] == "none"
    assert record["decryption"]["reason"] == "no_handshake"
    assert record["handshake"] == []
    assert record["client"]["port"] == 50000


def test_a_capture_that_begins_behind_the_hellos_has_the_messages_that_follow():
    segments = packetise(talk("TLSv1_2"), mss=60000, fin=False)
    key_exchange = next(index for index, one in enumerate(segments) if one.payload[5:6] == b"\x10")
    [whole] = records(segments)
    for first in range(key_exchange, key_exchange + 3):
        [record] = records(segments[first:])
        later = [one for one in whole["handshake"] if one["frame"] > first]
        assert handshake_types(record) == [(one["type"], one["from"]) for one in later]
        assert [one["encrypted"] for one in record["handshake"]] == [one["encrypted"] for one in later]
        assert (record["client"], record["version"], record["findings"]) == (whole["client"], None, [])
    assert {one["type"] for one in whole["handshake"][key_exchange - 3 :]} >= {"client_key_exchange", "finished"}


@pytest.mark.parametrize("ports", [(50000, 443), (443, 50000)])
def test_who_sends_a_key_exchange_is_the_client_whatever_its_port(ports):
    segments = packetise(talk("TLSv1_2"), mss=60000, fin=False)
    key_exchange = next(index for index, one in enumerate(segments) if one.payload[5:6] == b"\x10")
    [record] = records([dataclasses.replace(one, ports=ports) for one in segments[key_exchange:]])
    assert (record["client"]["port"], record["server"]["port"]) == ports


def test_a_capture_that_begins_with_the_server_hello():
    segments = packetise(talk("TLSv1_2"), fin=False)
    [record] = records(segments[4:])
    assert record["client"]["port"] == 50000
    assert record["decryption"]["reason"] == "no_handshake"
    assert handshake_types(record)[0] == ("server_hello", "server")


@pytest.mark.parametrize("side", [C, S])
def test_one_direction_alone(side):
    whole = handshake_types(records(packetise(talk("TLSv1_2")))[0])
    [record] = records([segment for segment in packetise(talk("TLSv1_2")) if segment.side == side])
    who = ("client", "server")[side]
    assert handshake_types(record) == [message for message in whole if message[1] == who]


def test_a_gap_before_the_hello_is_reported_with_the_session():
    segments = packetise([*PRELUDES["smtp"], *talk()])
    del segments[3]
    [record] = records(segments)
    assert record["gaps"] == [{"from": "server", "offset": 0, "length": 13, "after_frame": None}]
    assert record["established"]


def test_with_a_lost_client_hello_there_is_a_session_with_the_gap():
    segments = packetise(talk("TLSv1_2"), mss=60000)
    [record] = records(segments[:3] + segments[4:])
    assert record["gaps"][0]["length"] == len(segments[3].payload)
    assert ("client_key_exchange", "client") in handshake_types(record)
    assert record["established"]


def test_a_response_in_plain_text_leaves_the_hello():
    segments = packetise([talk()[0], (S, b"HTTP/1.1 400 Bad Request\r\n\r\n")])
    [record] = records(segments)
    assert handshake_types(record) == [("client_hello", "client")]
    assert not record["established"]


def test_a_hello_byte_for_byte():
    hello = stream(talk()[:1], C)
    for n_bytes in range(len(hello)):
        assert hello_at(hello, 0, n_bytes) == (0 if n_bytes < 11 else 1)
    assert hello_at(talk()[1][1], 0, 100) == 2
    for position, value in ((0, 23), (1, 2), (2, 9), (5, 3), (6, 1), (9, 2)):
        broken = bytearray(hello)
        broken[position] = value
        assert hello_at(bytes(broken), 0, len(broken)) == -1


def test_an_ssl2_hello_byte_for_byte():
    hello = b"\x80\x2e\1\0\2\0\x15\0\0\0\x10" + bytes(21) + bytes(16)
    for n_bytes in range(1, len(hello) + 1):
        assert ssl2_hello_at(hello, 0, n_bytes) == (0 if n_bytes < 11 else 1)
    assert ssl2_hello_at(hello[:1] + b"\x2f" + hello[2:], 0, len(hello)) == -1
    assert ssl2_hello_at(b"\x2e" + hello[1:], 0, len(hello)) == -1
    for mss in (1400, 1):
        [record] = records(packetise([(C, hello)], mss=mss))
        assert handshake_types(record) == [("client_hello", "client")]


def test_ciphertext_is_a_record_and_the_next_or_the_end():
    record = b"\x17\x03\x03\0\x20" + bytes(32)
    assert ciphertext_at(record, 0, len(record))
    assert ciphertext_at(record + b"\x15\x03\x03\0\x20" + bytes(32), 0, 80 - 6)
    assert not ciphertext_at(record + b"\0\0\0\0\0", 0, len(record) + 5)
    assert not ciphertext_at(b"\x17\x03\x03\0\x05" + bytes(5), 0, 10)
    assert not ciphertext_at(record, 0, 4)


def test_what_shows_a_handshake_whose_hellos_are_not_there():
    change = bytes.fromhex("140303000101")
    exchange = bytes.fromhex("1603030008 10000004 03616263")
    finished = bytes.fromhex("1603030028") + bytes(range(200, 240))

    def found(data: bytes) -> int:
        return late_record_at(data, 0, len(data))

    assert found(exchange + change + finished) == found(exchange) == 0
    assert [found(bytes.fromhex(f"1603030004 {kind:02x}000000")) for kind in (4, 12, 13, 14, 22)] == [1] * 5
    assert found(change) == found(change + finished) == found(bytes.fromhex("1603030004 0f000000")) == OF_EITHER
    assert found(b"\x17\x03\x03\0\x20" + bytes(32)) == OF_EITHER
    assert found(bytes.fromhex("160303000c 0b000004 01020304 0e000000")) == OF_EITHER
    for other in (
        finished,
        exchange + b"\0\0\0\0\0",
        exchange[:8],
        change[:5],
        bytes.fromhex("140303000102"),
        bytes.fromhex("14030300020101"),
        bytes.fromhex("1603030008 10000005 03616263"),
        bytes.fromhex("160303000c 10000004 03616263 63000000"),
        bytes.fromhex("1603030004 63000000"),
        bytes.fromhex("1503030002 0228"),
    ):
        assert found(other) == -1


def test_the_facts_kept_before_a_hello_are_limited():
    pieces = [Segment(C, 9, 0, SYN)]
    position = 10
    for number in range(300):
        pieces += [Segment(C, position, 1, ACK, b"ab"), Segment(C, position, 1, ACK, bytes([number & 0x7F, 0]))]
        position += 2
    hello = talk()[0][1]
    pieces.append(Segment(C, position, 1, ACK, hello))
    [record] = records(pieces)
    assert handshake_types(record) == [("client_hello", "client")]
    codes = [finding["code"] for finding in record["findings"]]
    assert set(codes) == {"conflicting_segments", "one_side_only", "retransmissions"}
    assert 0 < codes.count("conflicting_segments") <= 64
    codes = [finding["code"] for finding in record["findings"]]
    assert set(codes) == {"conflicting_segments", "one_side_only", "retransmissions"}
    assert 0 < codes.count("conflicting_segments") <= 64


@pytest.mark.parametrize("description", [40, 50, 70, 80])
def test_an_alert_in_plaintext(description):
    alert = bytes([21, 3, 1, 0, 2, 2, description])
    assert is_plain_alert(alert, 0, 7)
    assert is_plain_alert(alert + alert, 0, 14)
    assert not is_plain_alert(alert + b"GET /", 0, 12)
    for n in range(1, 7):
        assert not is_plain_alert(alert, 0, n)
    assert not is_plain_alert(bytes([21, 3, 1, 0, 2, 3, description]), 0, 7)
    assert not is_plain_alert(bytes([21, 3, 1, 0, 2, 2, 201]), 0, 7)
    assert not is_plain_alert(bytes([23, 3, 1, 0, 2, 2, description]), 0, 7)


def test_a_segment_that_may_close():
    for content_type, length in ((23, 19), (21, 2), (21, 26), (21, 18), (21, 32), (21, 48), (21, 64), (21, 80)):
        record = bytes([content_type, 3, 3, 0, length]) + bytes(length)
        assert is_closing(record, 0, len(record))
        assert is_closing(b"x" * 100 + record, 0, 100 + len(record))
        assert not is_closing(record, 1, len(record))
        assert not is_closing(record, 0, len(record) - 1)
    assert not is_closing(bytes([23, 3, 3, 0, 40]) + bytes(40), 0, 45)
    assert not is_closing(bytes([22, 3, 3, 0, 19]) + bytes(19), 0, 24)


@pytest.mark.parametrize("asked", [b"", b"GET / HTTP/1.1\r\nHost: a.test:8443\r\nUser-Agent: curl/8\r\n\r\n"])
def test_a_connection_whose_tls_begins_with_an_alert(asked):
    flights = [(C, asked)] if asked else []
    [record] = records(packetise([*flights, (S, bytes([21, 3, 1, 0, 2, 2, 50]))]))
    [alert] = record["alerts"]
    assert (alert["level"], alert["description"], alert["from"], alert["encrypted"]) == (
        "fatal",
        "decode_error",
        "server",
        False,
    )
    assert record["established"] is False
    assert [record[key] for key in ("version", "ja3", "ja4")] == [None] * 3
    assert [entry["protocol"] for entry in record["before"]] == (["http"] if asked else [])
    if asked:
        [entry] = record["before"]
        assert entry["target"] == {"host": "a.test", "port": 8443}
        assert entry["user_agent"] == "curl/8"
    assert records(packetise([*flights, (S, bytes([21, 3, 1, 0, 2, 2, 50]) + b" and more")])) == []
