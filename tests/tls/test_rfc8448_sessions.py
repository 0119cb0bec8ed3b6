"""The traces of RFC 8448 as captures: every record must decrypt correctly, and every Finished must be right.

The RFC gives the private keys of both ends. `vector_trials` derives the traffic secrets for a key log from them. The Finished
of the server's flight is also in the RFC, so an error in the derivation would show.
"""

from pathlib import Path
from typing import Any

import pytest
from conversations import CLIENT, SERVER, Tap, handshake_types, packetise
from talks import Kept

from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record
from analyzer.validation.material import Material
from analyzer.validation.vector_trials import flights_of, keylog_of

TESTS = Path(__file__).resolve().parents[1]
DATA = bytes(range(50))
VERIFIED = {"client": "verified", "server": "verified"}
PROOF = ["certificate", "certificate_verify", "finished"]
AUTHENTICATED = ["encrypted_extensions", *PROOF]


VECTORS = Material().vectors


def read(sections: str, mss: int = 1460) -> list[tuple[dict[str, Any], list[bytes]]]:
    """The records and the application data of some sections as one capture."""
    keylog = KeyLog()
    tap = Tap()
    tap.engine = Engine(keylog=keylog, application=Kept)
    for number, section in enumerate(sections):
        keylog.feed(keylog_of(VECTORS, section))
        tap.feed(*packetise(flights_of(VECTORS, section), mss=mss, ports=(50000 + number, 443)))
    found = sorted(tap.close(), key=lambda session: int(session.id))
    taken = [session.decryption.application for session in found]
    return [
        (session_record(session, True), [b"", b""] if each is None else each.data)
        for session, each in zip(found, taken, strict=True)
    ]


@pytest.mark.parametrize("mss", [11, 1460])
@pytest.mark.parametrize("section", "34567")
def test_every_record_of_a_trace_opens(section: str, mss: int) -> None:
    ((record, data),) = read(section, mss)
    encrypted = sum(first_bytes(flight).count(23) for _, flight in flights_of(VECTORS, section))
    decryption = record["decryption"]
    assert (decryption["status"], decryption["reason"]) == ("decrypted", None)
    assert (decryption["records"], decryption["failed"]) == (encrypted, 0)
    assert record["authenticity"]["finished"] == VERIFIED
    assert all(message["message"] is not None and "problems" not in message for message in record["handshake"])
    assert [(alert["description"], alert["from"]) for alert in record["alerts"]] == [
        ("close_notify", "client"),
        ("close_notify", "server"),
    ]
    early = b"ABCDEF" if section == "4" else b""
    talk = DATA if section in "34" else b""
    assert data == [early + talk, talk]


def first_bytes(flight: bytes) -> list[int]:
    """The content types of the records of a flight."""
    found = []
    pos = 0
    while pos < len(flight):
        found.append(flight[pos])
        pos += 5 + int.from_bytes(flight[pos + 3 : pos + 5], "big")
    return found


@pytest.mark.parametrize(
    ("section", "messages"),
    [
        ("3", ["client_hello", "server_hello", *AUTHENTICATED, "finished", "new_session_ticket"]),
        ("4", ["client_hello", "server_hello", "encrypted_extensions", "finished", "end_of_early_data", "finished"]),
        ("5", ["client_hello", "hello_retry_request", "client_hello", "server_hello", *AUTHENTICATED, "finished"]),
        ("6", ["client_hello", "server_hello", "encrypted_extensions", "certificate_request", *PROOF, *PROOF]),
        ("7", ["client_hello", "server_hello", *AUTHENTICATED, "finished"]),
    ],
)
def test_every_message_of_a_trace_is_named(section: str, messages: list[str]) -> None:
    ((record, _),) = read(section)
    assert [kind for kind, _ in handshake_types(record)] == messages


def test_the_messages_are_those_of_the_rfc() -> None:
    keylog = KeyLog()
    keylog.feed(keylog_of(VECTORS, "3"))
    tap = Tap()
    tap.engine = Engine(keylog=keylog)
    tap.feed(*packetise(flights_of(VECTORS, "3")))
    (session,) = tap.close()
    names = ["client_hello", "server_hello", "encrypted_extensions", "certificate", "certificate_verify"]
    names += ["server_finished", "client_finished", "new_session_ticket"]
    assert [message.raw for message in session.log.messages] == [VECTORS["3", name] for name in names]


def test_draft_18_has_labels_and_a_transcript_of_its_own() -> None:
    given: dict[str, bytes] = {}
    for block in (TESTS / "vectors" / "tls13_draft18.txt").read_text("ascii").split("\n\n")[1:]:
        _, name, *lines = block.split()
        given[name] = bytes.fromhex("".join(lines))
    flights = [(CLIENT if "client" in name else SERVER, data) for name, data in given.items() if name.endswith("_record")]
    random = given["client_hello_record"][11:43].hex()
    keylog = KeyLog()
    secrets = (name for name in given if "secret" in name)
    keylog.feed("".join(f"{name.upper()} {random} {given[name].hex()}\n" for name in secrets).encode())
    tap = Tap()
    tap.engine = Engine(keylog=keylog)
    tap.feed(*packetise(flights))
    (record,) = tap.records()
    assert record["version"] == "TLS 1.3 draft 18"
    assert (record["decryption"]["status"], record["decryption"]["records"]) == ("decrypted", 4)
    expected = ["client_hello", "hello_retry_request", "client_hello", "server_hello", *AUTHENTICATED, "finished"]
    assert [kind for kind, _ in handshake_types(record)] == expected
    assert [alert["description"] for alert in record["alerts"]] == ["close_notify"] * 2
    assert record["authenticity"]["finished"] == VERIFIED
