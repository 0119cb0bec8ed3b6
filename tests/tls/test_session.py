"""A session as a passive reader sees it: messages are in order, errors have a name, and the memory is limited."""

import struct
from collections import Counter

import pytest
from conversations import ACK, CLIENT, SERVER, Segment, Tap, handshake_types, packetise, records, stream, talk, timeless

from analyzer.codec.errors import Incomplete
from analyzer.codec.field_tables import spans

C, S = CLIENT, SERVER


def record(content_type, body, version=0x0303):
    return struct.pack(">BHH", content_type, version, len(body)) + body


def message(number, body):
    return struct.pack(">I", number << 24 | len(body)) + body


def session_of(*flights):
    """The record of the only session that these flights make."""
    [found] = records(packetise(flights, mss=1400))
    return found


def codes(found):
    return [finding["code"] for finding in found["findings"]]


HELLO = talk("TLSv1_2")[0][1]
ANSWER = message(2, b"\3\3" + bytes(range(32)) + b"\0\xc0\x2f\0")


def test_the_handshake_of_tls_1_2():
    found = records(packetise(talk("TLSv1_2")))[0]
    assert handshake_types(found) == [
        ("client_hello", "client"),
        ("server_hello", "server"),
        ("certificate", "server"),
        ("server_key_exchange", "server"),
        ("server_hello_done", "server"),
        ("client_key_exchange", "client"),
        ("finished", "client"),
        ("new_session_ticket", "server"),
        ("finished", "server"),
    ]
    assert [entry["encrypted"] for entry in found["handshake"]] == [False] * 6 + [True, False, True]
    assert found["version"] == "TLS 1.2"
    assert found["established"]
    assert found["resumed"] is False
    assert found["certificates"]["server"][0]["subject"] == "CN=example.test"


def test_the_handshake_of_tls_1_3():
    found = records(packetise(talk("TLSv1_3")))[0]
    assert handshake_types(found) == [("client_hello", "client"), ("server_hello", "server")]
    assert found["version"] == "TLS 1.3"
    assert found["group"] in ("x25519", "X25519MLKEM768")  # newer libraries prefer the hybrid group
    assert found["server_name"] == "example.test"
    assert found["established"]


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("n_bytes", [1, 3, 4, 50])
def test_messages_split_over_records(version, n_bytes):
    flights = list(talk(version))
    whole = timeless(records(packetise(flights))[0])
    body = HELLO[5:] if version == "TLSv1_2" else flights[0][1][5:]
    flights[0] = (C, b"".join(record(22, body[pos : pos + n_bytes], 0x0301) for pos in range(0, len(body), n_bytes)))
    assert timeless(records(packetise(flights))[0]) == whole


def test_several_messages_in_one_record():
    found = session_of((C, HELLO), (S, record(22, ANSWER + message(14, b""))))
    assert handshake_types(found)[1:] == [("server_hello", "server"), ("server_hello_done", "server")]


def test_a_malformed_message_says_what_is_wrong_and_the_session_goes_on():
    broken = message(2, b"\3\3" + bytes(32) + b"\x40")
    found = session_of((C, HELLO), (S, record(22, broken + message(14, b""))))
    assert handshake_types(found)[1:] == [("server_hello", "server"), ("server_hello_done", "server")]
    problem = found["handshake"][1]["problems"][0]
    assert problem["field"] == "ServerHello.legacy_session_id_echo"
    assert problem["offset"] == 38
    assert problem["detail"]
    assert found["version"] == "TLS 1.2"


def messages_of(flights, side):
    """The messages of a side in the only session that these flights make."""
    tap = Tap(detailed=True)
    tap.feed(*packetise(flights, mss=1400))
    [session] = tap.close()
    return [message for message in session.log.messages if message.role == side]


@pytest.mark.parametrize("side", [C, S])
def test_the_available_part_of_every_truncated_message_is_read(side):
    """Messages before the cut are read as without it; of the truncated message, the bytes and fields before the cut.

    A ServerHello without its random may be a HelloRetryRequest: it is not listed.
    """
    before, data = ([(C, HELLO)], talk("TLSv1_2")[1][1]) if side == S else ([], HELLO)
    uncut = messages_of([*before, (side, data)], side)
    assert len(uncut) == (4 if side == S else 1)
    n_fields = 0
    for n_bytes in range(11, len(data)):
        found = messages_of([*before, (side, data[:n_bytes])], side)
        there = [sum(max(0, min(length, n_bytes - first)) for first, length in one.pieces) for one in uncut]
        whole = [one for one, n_there in zip(uncut, there, strict=True) if n_there == one.length]
        assert [(one.type, one.raw, one.problems, one.body) for one in found[: len(whole)]] == [
            (one.type, one.raw, [], one.body) for one in whole
        ]
        n_there = there[len(whole)] if len(whole) < len(uncut) else 0
        least = 7 if side == S and not whole else 4  # of the version and the random; of the header
        assert len(found) == len(whole) + (n_there >= least)
        if n_there < least:
            continue
        last, same = found[-1], uncut[len(whole)]
        assert (last.type, last.length, last.raw) == (same.type, same.length, same.raw[:n_there])
        lost = last.problems[-1]
        assert (type(lost), lost.field, lost.offset) == (Incomplete, same.name, n_there)
        assert lost.why == f"{same.length - n_there} of {same.length} bytes are not in the capture"
        for span in spans(type(same.body), same.raw, 4, same.length, 0):
            field, right = getattr(last.body, span.name), getattr(same.body, span.name)
            if span.end <= n_there:
                assert field == right
                n_fields += 1
            elif n_there < span.start:
                assert field is None
            elif isinstance(field, bytes):
                assert right.startswith(field)
    assert n_fields > 100


def test_a_gap_in_a_certificate_keeps_the_messages_around_it():
    segments = packetise(talk("TLSv1_2"), mss=100)
    server = [index for index, segment in enumerate(segments) if segment.side == S and segment.payload]
    [found] = records([segment for index, segment in enumerate(segments) if index != server[2]])
    types = handshake_types(found)
    assert types[:3] == [("client_hello", "client"), ("server_hello", "server"), ("certificate", "server")]
    assert found["handshake"][2]["problems"]
    frames = [entry["frame"] for entry in found["handshake"]]
    assert frames == sorted(frames)


def test_plain_and_encrypted_alerts():
    found = session_of((C, HELLO), (S, record(21, b"\2\x28")))
    (alert,) = found["alerts"]
    assert alert == {
        "level": "fatal",
        "description": "handshake_failure",
        "from": "server",
        "frame": 5,
        "encrypted": False,
        "injected": False,
    }
    found = records(packetise(talk("TLSv1_2")))[0]
    assert [alert["encrypted"] for alert in found["alerts"]] == [True, True]
    assert all(alert["description"] is None for alert in found["alerts"])


def test_an_alert_of_no_whole_number():
    found = session_of((C, HELLO), (S, record(21, b"\2\x28\1")))
    assert len(found["alerts"]) == 1
    assert codes(found) == ["protocol_violation", "fatal_alert"]


@pytest.mark.parametrize(
    ("body", "n_plain"), [(b"\x2f\x8f" * 9, 0), (b"\0\0\0\0\0\0\0\1\x26\xbd", 0), (b"\2\x28\1\0", 2), (b"\7\x28", 1)]
)
def test_an_encrypted_alert_that_comes_unannounced_is_not_read_as_plain_alerts(body: bytes, n_plain: int):
    """As of a capture that begins late, or after a lost ChangeCipherSpec. Two bytes are an alert, whatever its level."""
    found = session_of((C, HELLO), (S, record(21, body)))
    assert [alert["encrypted"] for alert in found["alerts"]] == ([False] * n_plain or [True])
    assert ("protocol_violation" in codes(found)) == (body[0] == 7)  # no alert has that level


def test_heartbleed_is_seen_and_an_honest_heartbeat_is_not():
    honest = record(24, b"\1\0\4ping" + bytes(16))
    assert "heartbleed" not in codes(session_of((C, HELLO), (S, record(22, ANSWER)), (C, honest)))
    found = session_of((C, HELLO), (S, record(22, ANSWER)), (C, record(24, b"\1\x40\0")))
    assert "heartbleed" in codes(found)
    assert found["findings"][0]["frames"] == [6]


def test_the_hello_retry_request_has_its_name():
    special = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
    extensions = b"\0\x2b\0\2\3\4\0\x33\0\2\0\x17"
    retry = message(2, b"\3\3" + special + b"\0\x13\1\0" + struct.pack(">H", len(extensions)) + extensions)
    found = session_of((C, HELLO), (S, record(22, retry)), (C, record(20, b"\1") + HELLO))
    assert handshake_types(found)[1:] == [("hello_retry_request", "server"), ("client_hello", "client")]
    assert found["group"] == "secp256r1"
    assert not found["established"]


@pytest.mark.parametrize(
    ("version", "name"), [(0x0300, "SSL 3.0"), (0x0301, "TLS 1.0"), (0x0302, "TLS 1.1"), (0x0303, "TLS 1.2")]
)
def test_versions(version, name):
    answer = message(2, struct.pack(">H", version) + bytes(32) + b"\0\0\x2f\0")
    assert session_of((C, HELLO), (S, record(22, answer, version)))["version"] == name


def test_a_draft_has_its_number():
    answer = message(2, b"\x7f\x12" + bytes(32) + b"\x13\1\0\0")
    assert session_of((C, HELLO), (S, record(22, answer)))["version"] == "TLS 1.3 draft 18"


@pytest.mark.parametrize(
    ("flood", "messages", "alerts", "findings", "dropped", "n_application"),
    [
        (record(22, message(0, b"") * 4000), 1024, 0, {"unexpected_message": 1, "limit": 1}, 4000 - 1022, 0),
        (record(21, b"\1\0" * 8000), 2, 64, {"limit": 1}, 8000 - 64, 0),
        (record(22, message(11, b"\xff" * 16000)[:16384]) * 40, 42, 0, {"repeated_message": 1}, 0, 0),
        (
            record(24, b"\1\xff\xff") * 5000,
            2,
            0,
            {"heartbleed": 1022, "heartbeat_in_handshake": 1, "unnegotiated_heartbeat": 1, "limit": 1},
            5000 - 1022,
            0,
        ),
        (record(23, b"") * 20000, 2, 0, {"plaintext_record": 1}, 0, 20000),
        (record(20, b"\1") * 5000, 2, 0, {"plaintext_record": 1}, 0, 0),
        (record(22, b"") * 20000, 2, 0, {"empty_fragment": 1}, 0, 0),
        (record(22, b"\x0b\xff\xff\xff") * 5000, 2, 0, {"protocol_violation": 1}, 0, 0),
        (b"\x16\x03\x03\0\4abc" * 3000, 2, 0, {"protocol_violation": 2}, 0, 0),
    ],
)
def test_floods_are_limited_and_what_is_not_kept_is_counted(flood, messages, alerts, findings, dropped, n_application):
    tap = Tap()
    tap.feed(*packetise([(C, HELLO), (S, record(22, ANSWER)), (C, flood)], mss=1400))
    [session] = tap.close()
    log = session.log
    assert (len(log.messages), len(log.alerts), len(log.gaps), len(log.conflicts)) == (messages, alerts, 0, 0)
    assert Counter(finding.code for finding in log.findings) == findings
    assert log.dropped == dropped
    details = [finding.detail for finding in log.findings if finding.code == "limit"]
    assert details == [f"{dropped} further messages, alerts, gaps or findings are not listed"] * (dropped > 0)
    assert session.roles[C].n_application == n_application
    assert session.handshake.kept < 2 << 20


def test_what_messages_keep_is_bounded():
    certificate = message(11, b"\0\x3f\0" + bytes(16128))
    big = message(11, bytes((4 << 20) - 4))
    body = big * 6 + certificate
    flood = b"".join(record(22, body[pos : pos + 16384]) for pos in range(0, len(body), 16384))
    tap = Tap()
    tap.feed(*packetise([(C, HELLO), (S, record(22, ANSWER)), (S, flood)], mss=60000))
    dispatcher = tap.engine.dispatcher
    [session] = tap.close()
    assert sum(len(kept.raw) for kept in session.log.messages) <= 5 * (4 << 20)
    assert "limit" in [finding.code for finding in session.log.findings]
    assert dispatcher.held == 0


def test_a_session_ends_once():
    segments = packetise(talk())
    tap = Tap()
    tap.feed(*segments, *segments[-3:], Segment(C, segments[-1].sequence + 1, 1, ACK, b"x"))
    assert len(tap.close()) == 1
    assert len(tap.close()) == 1
    assert len(tap.events) == 1


def test_any_change_of_a_byte_leaves_a_session():
    flights = talk("TLSv1_2")
    data = stream(flights, S)
    for position in range(11, min(900, len(data))):
        changed = data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]
        [found] = records(packetise([(C, HELLO), (S, changed)], mss=1400))
        assert handshake_types(found)[0] == ("client_hello", "client")


def test_a_handshake_of_tls_1_3_that_somebody_sends_in_plaintext():
    answer = message(2, b"\3\3" + bytes(range(32)) + b"\0\x13\1\0" + b"\0\6\0\x2b\0\2\3\4")
    request = message(13, b"\1c" + b"\0\x08\0\x0d\0\4\0\2\4\3")
    flight = [answer, message(8, b"\0\0"), message(20, bytes(32))]
    found = session_of(
        (C, HELLO),
        (S, record(22, b"".join(flight))),
        (C, record(22, message(20, bytes(32)))),
        (S, record(22, request)),
        (C, record(22, message(11, b"\1c\0\0\0") + message(20, bytes(32)))),
    )
    assert [kind for kind, _ in handshake_types(found)][-4:] == ["finished", "certificate_request", "certificate", "finished"]
    assert found["authenticity"]["finished"] == {"client": "absent", "server": "absent"}
    codes = [finding["code"] for finding in found["findings"]]
    assert codes.count("plaintext_record") == 5
