"""Resumed sessions: the relation to the first one, and what its master secret decrypts; real endpoints, and all captures."""

from pathlib import Path
from typing import Any

import pytest
from conversations import ended, packetise, read_sessions, records, talk

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
VERIFIED = {"client": "verified", "server": "verified"}


def read(name: str, log: list[str] | None, first_frame: int = 0) -> list[dict[str, Any]]:
    """The records of a demonstration capture from a frame on, given these lines of its key log."""
    keylog = None
    if log is not None:
        keylog = KeyLog()
        keylog.feed("".join(log).encode())
    (path,) = (CAPTURES / name).glob("*.pcap*")
    engine = Engine(keylog=keylog)
    reader = CaptureReader([str(path)])
    if not first_frame:
        sessions = list(read_sessions(reader, engine))
    else:
        for packet_reader in reader.packet_readers():
            while packet_reader.advance():
                if packet_reader.frame.number >= first_frame:
                    engine.feed(packet_reader.frame)
        engine.close()
        sessions = ended(engine.take())
    return [session_record(session, False) for session in sorted(sessions, key=lambda session: int(session.id))]


def lines(name: str) -> list[str]:
    text = (CAPTURES / name / f"{name}.keys").read_text("ascii")
    return [line for line in text.splitlines(keepends=True) if not line.startswith("#")]


RESUMED = ["tls12-session-id-resumption", "tls12-ticket-resumption"]


@pytest.mark.parametrize("name", RESUMED)
def test_the_master_secret_of_the_first_session_opens_the_resumed_one(name: str) -> None:
    log = lines(name)
    assert len(log) == 2  # one line for each
    first, second = read(name, log[:1])
    assert second["resumes"] == first["id"] == 0
    for record in (first, second):
        assert (record["decryption"]["status"], record["decryption"]["failed"]) == ("decrypted", 0)
        assert record["authenticity"]["finished"] == VERIFIED
    assert second["http"][0]["response"]["status"] == 200


@pytest.mark.parametrize("name", RESUMED)
def test_a_session_resumed_from_outside_the_capture_says_so(name: str) -> None:
    first, second = read(name, lines(name)[:1])
    (alone,) = read(name, lines(name)[:1], second["first_frame"])
    assert first["resumes"] is None
    assert (alone["resumed"], alone["resumes"]) == (True, None)
    assert (alone["decryption"]["status"], alone["decryption"]["reason"]) == ("none", "resumed_outside")


@pytest.mark.parametrize("name", RESUMED)
def test_the_resumption_needs_no_secrets_up_to_tls_1_2(name: str) -> None:
    assert [record["resumes"] for record in read(name, None)] == [None, 0]


def test_in_tls_1_3_the_resumption_needs_the_ticket_decrypted() -> None:
    name = "tls13-psk-resumption"
    assert [record["resumes"] for record in read(name, lines(name))] == [None, 0]
    assert [record["resumes"] for record in read(name, None)] == [None, None]


def test_without_secrets_nothing_is_called_resumed_outside() -> None:
    _, second = read("tls12-ticket-resumption", None)
    (alone,) = read("tls12-ticket-resumption", None, second["first_frame"])
    assert alone["decryption"]["reason"] == "no_secret"


def test_two_full_handshakes_are_no_resumption() -> None:
    both = [*packetise(talk("TLSv1_2")), *packetise(talk("TLSv1_2"), ports=(50001, 443))]
    assert [(record["resumed"], record["resumes"]) for record in records(both)] == [(False, None), (False, None)]


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("tls13-early-data", ["end_of_early_data"]),
        ("tls13-key-update", ["key_update"] * 2),
        ("tls13-post-handshake-authentication", ["certificate_request", "certificate", "certificate_verify"]),
        ("tls13-hello-retry-request", ["hello_retry_request"]),
        ("tls13-client-certificate", ["certificate_request", "certificate_verify"]),
        ("tls12-renegotiation", ["client_key_exchange"] * 2),
    ],
)
def test_every_step_of_the_key_schedule_is_followed(name: str, messages: list[str]) -> None:
    record = read(name, lines(name))[-1]
    assert (record["decryption"]["status"], record["decryption"]["failed"]) == ("decrypted", 0)
    assert record["authenticity"]["finished"] == VERIFIED
    seen = [message["type"] for message in record["handshake"]]
    for message in set(messages):
        assert seen.count(message) >= messages.count(message)


def test_both_sides_updated_their_keys() -> None:
    record = read("tls13-key-update", lines("tls13-key-update"))[0]
    assert {message["from"] for message in record["handshake"] if message["type"] == "key_update"} == {"client", "server"}


def test_the_client_that_authenticates_later_is_verified() -> None:
    name = "tls13-post-handshake-authentication"
    (record,) = read(name, lines(name))
    assert record["authenticity"]["client_signature"] == "verified"
    assert record["certificates"]["client"] != []
