"""A handshake is authentic only if it is unchanged: any change is detected."""

import ssl
from pathlib import Path
from typing import Any

import pytest
from conversations import SERVER, Tap, contexts, packetise, read_sessions
from talks import client_of, converse, talk_over
from tampering import tamper12, tamper13

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record

CAPTURES = Path(__file__).parents[2] / "captures"
CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_VERIFY, FINISHED = 11, 12, 15, 20
ALL = {"client": "verified", "server": "verified"}


def read(flights: Any, keylog: str = "") -> dict[str, Any]:
    """Return the `authenticity` of a conversation, given a key log."""
    tap = Tap()
    if keylog:
        secrets = KeyLog()
        secrets.feed(keylog.encode())
        tap.engine = Engine(keylog=secrets)
    tap.feed(*packetise(flights))
    (record,) = tap.records()
    authenticity: dict[str, Any] = record["authenticity"]
    return authenticity


def flip(number: int, at: int) -> Any:
    """Change one bit of the messages of a type, at an offset of their bodies."""

    def change(kind: int, body: bytes) -> bytes:
        if kind != number:
            return body
        at_ = at % len(body)
        return body[:at_] + bytes([body[at_] ^ 1]) + body[at_ + 1 :]

    return change


def other_certificate(keylog: bool) -> bytes:
    """Return the Certificate message of another server, in the format of the version."""
    context = contexts.__wrapped__()[1]
    talk = talk_over(client_of("TLSv1_3" if keylog else "TLSv1_2"), context)[0]
    found: list[bytes] = []

    def take(kind: int, body: bytes) -> bytes:
        if kind == CERTIFICATE:
            found.append(body)
        return body

    if keylog:
        tamper13(talk.flights, talk.keylog, take)
    else:
        tamper12(talk.flights, take)
    return found[0]


def swap(body: bytes) -> Any:
    """Replace the certificate that was sent by that one."""
    return lambda kind, sent: body if kind == CERTIFICATE else sent


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*/*.keys")), ids=lambda path: path.stem)
def test_all_that_real_endpoints_signed_verifies(path: Path):
    keylog = KeyLog()
    keylog.feed(path.read_bytes())
    places = [path.with_suffix(".pcapng"), path.with_suffix(".pcap"), CAPTURES / f"{path.stem}.pcapng"]
    reader = CaptureReader([str(next(place for place in places if place.exists()))])
    sessions = list(read_sessions(reader, Engine(keylog=keylog)))
    assert sessions
    for session in sessions:
        record = session_record(session, False)
        authenticity = record["authenticity"]
        results = [authenticity["server_signature"], authenticity["client_signature"], *authenticity["finished"].values()]
        assert set(results) <= {"verified", "absent"}, authenticity
        assert authenticity["detail"] is None
        signs = record["certificates"]["server"] and "rsa-key-exchange" not in path.stem and path.stem != "tls10-rsa"
        assert authenticity["server_signature"] == ("verified" if signs else "absent")
        sent = any(m["type"] == "certificate_verify" and m["from"] == "client" for m in record["handshake"])
        assert authenticity["client_signature"] == ("verified" if sent else "absent")


def test_until_tls_1_2_the_signature_needs_no_secret():
    record = read(converse("TLSv1_2").flights)
    assert record["server_signature"] == "verified"
    assert record["finished"] == {"client": "unverifiable", "server": "unverifiable"}
    assert record["detail"] == (
        "server's Finished: it is encrypted, and did not open; client's Finished: it is encrypted, and did not open"
    )


def test_in_tls_1_3_nothing_is_verified_without_a_secret():
    record = read(converse("TLSv1_3").flights)
    assert record["server_signature"] == "unverifiable"
    assert "encrypted" in record["detail"]


@pytest.mark.parametrize("at", [-1, -20, 5, 20])
def test_a_tampered_server_key_exchange_fails(at: int):
    talk = converse("TLSv1_2")
    record = read(tamper12(talk.flights, flip(SERVER_KEY_EXCHANGE, at)), talk.keylog)
    assert record["server_signature"] == "failed"
    assert "by the key of the certificate" in record["detail"]


@pytest.mark.parametrize("number", [1, 2])
def test_a_tampered_hello_fails(number: int):
    talk = converse("TLSv1_2")
    assert read(tamper12(talk.flights, flip(number, 10)))["server_signature"] == "failed"


def test_a_swapped_certificate_fails():
    talk = converse("TLSv1_2")
    record = read(tamper12(talk.flights, swap(other_certificate(False))), talk.keylog)
    assert record["server_signature"] == "failed"
    assert "failed" in record["finished"].values()


def test_in_tls_1_3_a_tampered_certificate_verify_fails():
    talk = converse("TLSv1_3")
    record = read(tamper13(talk.flights, talk.keylog, flip(CERTIFICATE_VERIFY, -1)), talk.keylog)
    assert record["server_signature"] == "failed"
    assert record["finished"] == {"client": "failed", "server": "failed"}


def test_in_tls_1_3_a_swapped_certificate_fails():
    talk = converse("TLSv1_3")
    record = read(tamper13(talk.flights, talk.keylog, swap(other_certificate(True))), talk.keylog)
    assert record["server_signature"] == "failed"


def test_in_tls_1_3_encrypted_extensions_are_signed_too():
    talk = converse("TLSv1_3")
    longer = b"\x00\x06\x00\x0a\x00\x02\x00\x00"
    record = read(tamper13(talk.flights, talk.keylog, lambda kind, body: longer if kind == 8 else body), talk.keylog)
    assert record["server_signature"] == "failed"


def test_a_forged_finished_fails():
    talk = converse("TLSv1_3")
    record = read(tamper13(talk.flights, talk.keylog, flip(FINISHED, 3)), talk.keylog)
    assert record["server_signature"] == "verified"
    assert record["finished"] == {"client": "failed", "server": "failed"}
    assert "not what the supplied secrets" in record["detail"]


def test_messages_in_a_gap_are_not_failed():
    talk = converse("TLSv1_3")
    segments = packetise(talk.flights, mss=120)
    flight = [number for number, segment in enumerate(segments) if segment.side == SERVER and segment.payload]
    for lost in flight[1:12]:
        keylog = KeyLog()
        keylog.feed(talk.keylog.encode())
        tap = Tap()
        tap.engine = Engine(keylog=keylog)
        tap.feed(*segments[:lost], *segments[lost + 1 :])
        (record,) = tap.records()
        assert "failed" not in str(record["authenticity"]), record["authenticity"]


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_server_hello_may_come_before_the_client_hello(version: str):
    talk = converse(version)
    segments = packetise(talk.flights)
    hello = next(number for number, segment in enumerate(segments) if segment.payload)
    swapped = [*segments[:hello], segments[hello + 1], segments[hello], *segments[hello + 2 :]]
    keylog = KeyLog()
    keylog.feed(talk.keylog.encode())
    tap = Tap()
    tap.engine = Engine(keylog=keylog)
    tap.feed(*swapped)
    (record,) = tap.records()
    assert record["authenticity"]["server_signature"] == "verified"


def test_the_directions_may_come_in_any_order():
    for version in ("TLSv1_2", "TLSv1_3"):
        talk = converse(version)
        segments = packetise(talk.flights)
        late = segments[:3] + sorted(segments[3:], key=lambda segment: -segment.side)
        keylog = KeyLog()
        keylog.feed(talk.keylog.encode())
        tap = Tap()
        tap.engine = Engine(keylog=keylog)
        tap.feed(*segments[:4], *[segment for segment in late if segment not in segments[:4]])
        (record,) = tap.records()
        assert record["authenticity"]["server_signature"] == "verified"


def test_a_client_without_a_certificate_signs_nothing():
    server = contexts.__wrapped__()[1]
    server.verify_mode = ssl.CERT_OPTIONAL
    record = read(talk_over(client_of("TLSv1_2"), server)[0].flights)
    assert record["client_signature"] == "absent"
