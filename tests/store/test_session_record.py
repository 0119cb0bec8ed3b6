"""The session record: every key is always there, values have their JSON form, and any bytes from the wire become JSON."""

import json

import pytest
from conversations import CLIENT, SERVER, START, Tap, packetise, records, talk
from talks import converse

from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.clock import rfc3339
from analyzer.store.session_record import json_line, session_record, text

KEYS = {
    "id", "protocol", "client", "server", "first_frame", "last_frame", "start_time", "end_time", "version", "cipher_suite",
    "cipher_suite_id", "group", "server_name", "alpn", "established", "resumed", "resumption", "resumes", "ja3", "ja3s", "ja4",
    "handshake", "alerts", "certificates", "chain", "decryption", "authenticity", "gaps", "http", "findings",
}  # fmt: skip


@pytest.mark.parametrize("flights", [talk("TLSv1_2"), talk("TLSv1_3"), talk("TLSv1_2")[:1], talk("TLSv1_3")[1:2]])
def test_every_key_is_there(flights):
    [record] = records(packetise(flights))
    assert set(record) >= KEYS
    assert json.loads(json_line(record)) == record


def test_the_values_of_a_session():
    segments = packetise(talk("TLSv1_2"))
    [record] = records(segments)
    assert record["client"] == {"address": "10.0.0.1", "port": 50000}
    assert record["server"] == {"address": "10.0.0.2", "port": 443}
    assert (record["first_frame"], record["last_frame"]) == (1, len(segments))
    assert record["start_time"] == "2023-11-14T22:13:20.000000000Z"
    assert record["end_time"] == rfc3339(START + (len(segments) - 1) * 1_000_000)
    assert record["handshake"][0]["frame"] == 4
    assert record["handshake"][0]["message"]["random"]
    assert record["decryption"]["status"] == "none"
    assert record["decryption"]["reason"] == "no_secret"
    assert record["ja4"].startswith("t12d")


def test_fields_only_with_the_option():
    tap = Tap()
    tap.feed(*packetise(talk()))
    [session] = tap.close()
    assert all(entry["message"] is None for entry in session_record(session, False)["handshake"])


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (1_700_000_000_123_456_789, "2023-11-14T22:13:20.123456789Z"),
        (2**63 - 1, "2262-04-11T23:47:16.854775807Z"),
        (-1, None),
    ],
)
def test_times(at, shown):
    assert rfc3339(at) == shown


def test_times_of_many_seconds_in_any_order():
    for number in [*range(300), *range(300, 0, -7)]:
        assert rfc3339(number * 1_000_000_000 + 5) == f"1970-01-01T00:{number // 60:02}:{number % 60:02}.000000005Z"


def test_signatures_are_verified_only_for_those_who_ask():
    tap = Tap()
    tap.feed(*packetise(talk("TLSv1_2")))
    [session] = tap.close()
    without = session_record(session, False, signatures=False)
    record = session_record(session, False)
    assert without["authenticity"] is None
    assert record["authenticity"]["server_signature"] == "verified"
    assert {**record, "authenticity": None} == without


def test_text_that_is_not_utf8_is_escaped():
    assert text(b"a\xffb") == "a\\xffb"
    assert text(None) is None


def test_a_server_name_of_any_bytes_becomes_json():
    flights = list(talk())
    side, hello = flights[0]
    for name in (b"\xff\xfe\0\x1b[31m12", b"ex\ntest.test"):
        flights[0] = (side, hello.replace(b"example.test", name.ljust(12)[:12]))
        [record] = records(packetise(flights))
        assert json.loads(json_line(record))["server_name"] == text(name.ljust(12)[:12])


def test_sides_are_those_of_tls_and_not_of_tcp():
    flights = [(1 - side, data) for side, data in talk("TLSv1_2")]
    assert {side for side, _ in flights} == {CLIENT, SERVER}
    [record] = records(packetise(flights))
    assert record["server"]["port"] == 50000
    assert record["handshake"][0]["from"] == "client"
    assert record["certificates"]["server"]
    assert record["certificates"]["client"] == []


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_a_session_is_decrypted_only_if_both_sides_changed_their_keys(side: int, lost: bool):
    """A ChangeCipherSpec that the capture lost, and one that was never sent."""
    conversation, mark = converse("TLSv1_2"), b"\x14\x03\x03\x00\x01\x01"
    tap, keylog = Tap(), KeyLog()
    keylog.feed(conversation.keylog.encode())
    tap.engine = Engine(keylog=keylog)
    parts: list[tuple[int, bytes]] = []
    for role, data in conversation.flights:
        before, found, after = data.partition(mark) if role == side else (data, b"", b"")
        parts += [(role, part) for part in (before, found if lost else b"", after) if part]
    segments = packetise(parts)
    tap.feed(*[segment for segment in segments if segment.payload != mark])
    [record] = tap.records()
    assert record["decryption"]["status"] == "partial"
    assert record["decryption"]["reason"] is not None
    assert bool(record["gaps"]) == lost
    codes = [finding["code"] for finding in record["findings"]]
    assert ("plaintext_record" in codes) == (not lost), codes
