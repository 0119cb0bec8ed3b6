"""The traces of RFC 8448 as captures: every record must decrypt correctly, and every Finished must be right.

The RFC gives the private keys of both ends. From them the test derives the traffic secrets for a key log, with its own reader
for the server's flight. The Finished of that flight is also in the RFC, so an error in the derivation would show.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conversations import CLIENT, SERVER, Flight, Tap, handshake_types, packetise
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from talks import Kept

from analyzer.engine import Engine
from analyzer.secrets import key_schedule13
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record

TESTS = Path(__file__).resolve().parents[1]
HASH = "SHA256"
DATA = bytes(range(50))
VERIFIED = {"client": "verified", "server": "verified"}
PROOF = ["certificate", "certificate_verify", "finished"]
AUTHENTICATED = ["encrypted_extensions", *PROOF]


@cache
def vectors() -> dict[tuple[str, str], bytes]:
    """All vectors, by section and name."""
    found: dict[tuple[str, str], bytes] = {}
    for file in ("vectors/rfc8448.txt", "vectors/rfc8448_records.txt", "secrets/rfc8448_secrets.txt"):
        for block in (TESTS / file).read_text("ascii").split("\n\n")[1:]:
            section, name, *lines = block.split()
            found[section, name] = bytes.fromhex("".join(lines))
    return found


def record_of(message: bytes) -> bytes:
    """A record with a handshake message in plaintext."""
    return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message


def flights_of(section: str) -> list[Flight]:
    """The trace of a section, in order."""
    given = vectors()
    names = {
        "3": "client_hello client_hello server_hello server_handshake client_handshake server_new_session_ticket",
        "4": "client_hello client_early_data server_hello server_handshake client_handshake",
        "5": "client_hello hello_retry_request second_client_hello server_hello server_handshake client_handshake",
    }.get(section, "client_hello server_hello server_handshake client_handshake")
    names += " client_application_data server_application_data client_alert server_alert"
    plain = {
        ("3", "client_hello"): given["3", "client_hello"],
        ("3", "server_hello"): given["3", "server_hello"],
        ("4", "client_hello"): given["4", "resumption_client_hello"],
    }
    flights = []
    for name in dict.fromkeys(names.split()):
        side = CLIENT if "client" in name else SERVER
        if (section, name) in plain:
            flights.append((side, record_of(plain[section, name])))
        elif (section, f"{name}_record") in given:
            flights.append((side, given[section, f"{name}_record"]))
    return flights


def shared_secret(section: str) -> bytes:
    """The (EC)DHE secret, from the client's private key and the server's, which in section 5 are of P-256."""
    ours, theirs = (vectors()[section, f"{side}_private_key"] for side in ("client", "server"))
    if section == "5":
        private, peer = (ec.derive_private_key(int.from_bytes(key, "big"), ec.SECP256R1()) for key in (ours, theirs))
        return private.exchange(ec.ECDH(), peer.public_key())
    return X25519PrivateKey.from_private_bytes(ours).exchange(X25519PrivateKey.from_private_bytes(theirs).public_key())


def first_record(data: bytes, content_type: int) -> bytes:
    """The first record of a type."""
    pos = 0
    while data[pos] != content_type:
        pos += 5 + int.from_bytes(data[pos + 3 : pos + 5], "big")
    return data[pos : pos + 5 + int.from_bytes(data[pos + 3 : pos + 5], "big")]


@cache
def keylog_of(section: str) -> bytes:
    """The key log that the endpoints would have written."""
    hellos = [data[5:] for _, data in flights_of(section) if data[0] == 22]
    if section == "5":
        digest = hashlib.sha256(hellos[0]).digest()
        hellos[0] = b"\xfe\0\0\x20" + digest
    preceding = b"".join(hellos)
    random = vectors()["5", "client_hello_record"][11:43] if section == "5" else hellos[0][6:38]
    early = key_schedule13.early_secret(HASH, vectors()["4", "pre_shared_key"] if section == "4" else b"")
    handshake = key_schedule13.following_secret(HASH, early, shared_secret(section))

    def derive(secret: bytes, label: bytes) -> bytes:
        return key_schedule13.derive_secret(HASH, secret, label, hashlib.sha256(preceding).digest())

    secrets = {
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET": derive(handshake, b"c hs traffic"),
        "SERVER_HANDSHAKE_TRAFFIC_SECRET": derive(handshake, b"s hs traffic"),
    }
    if section == "4":
        secrets["CLIENT_EARLY_TRAFFIC_SECRET"] = vectors()["4", "client_early_traffic_secret"]
    key, iv = key_schedule13.traffic_keys(HASH, secrets["SERVER_HANDSHAKE_TRAFFIC_SECRET"], 16)
    record = first_record(vectors()[section, "server_handshake_record"], 23)
    flight = AESGCM(key).decrypt(iv, record[5:], record[:5])[:-1]
    assert flight.endswith(vectors()[section, "server_finished"])
    preceding += flight
    main = key_schedule13.following_secret(HASH, handshake)
    secrets["CLIENT_TRAFFIC_SECRET_0"] = derive(main, b"c ap traffic")
    secrets["SERVER_TRAFFIC_SECRET_0"] = derive(main, b"s ap traffic")
    return "".join(f"{label} {random.hex()} {secret.hex()}\n" for label, secret in secrets.items()).encode()


def read(sections: str, mss: int = 1460) -> list[tuple[dict[str, Any], list[bytes]]]:
    """The records and the application data of some sections as one capture."""
    keylog = KeyLog()
    tap = Tap()
    tap.engine = Engine(keylog=keylog, application=Kept)
    for number, section in enumerate(sections):
        keylog.feed(keylog_of(section))
        tap.feed(*packetise(flights_of(section), mss=mss, ports=(50000 + number, 443)))
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
    encrypted = sum(first_bytes(flight).count(23) for _, flight in flights_of(section))
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
    keylog.feed(keylog_of("3"))
    tap = Tap()
    tap.engine = Engine(keylog=keylog)
    tap.feed(*packetise(flights_of("3")))
    (session,) = tap.close()
    names = ["client_hello", "server_hello", "encrypted_extensions", "certificate", "certificate_verify"]
    names += ["server_finished", "client_finished", "new_session_ticket"]
    assert [message.raw for message in session.log.messages] == [vectors()["3", name] for name in names]


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
