"""The values that no other session should have are collected, in every version, with their frames."""

from pathlib import Path

import pytest
from conversations import read_sessions
from repeated_talks import session_of, talk

from analyzer.analysis.fresh_values import fresh_values
from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine

CAPTURES = Path(__file__).parents[2] / "captures"


@pytest.mark.parametrize(
    ("name", "client_keys", "server_key"),
    [
        ("tls12-rsa-key-exchange", [], 0),
        ("tls12-dhe-rsa", [256], 256),
        ("tls12-ecdhe-ecdsa", [65], 65),
        ("tls13-x25519", [32], 32),
        ("tls13-x25519mlkem768", [32], 32),
        ("tls13-hello-retry-request", [97], 97),
    ],
)
def test_public_keys_of_each_key_exchange(name: str, client_keys: list[int], server_key: int):
    found = fresh_values(*read(name))
    assert [len(found[0]), len(found[1])] == [32, 32]
    assert {len(key) for key in found[2]} >= set(client_keys)
    assert len(found[3]) == server_key
    assert bool(found[2]) == bool(client_keys)


def read(name: str):
    (path,) = (CAPTURES / name).glob("*.pcap*")
    sessions = read_sessions(CaptureReader([str(path)]), Engine(fields=False))
    return sorted(sessions, key=lambda session: session.id)[:1]


def test_frames_are_those_of_the_messages():
    session = session_of(talk("TLSv1_2", 0))
    by_name = {message.name: message.frame for message in session.log.messages}
    names = ("client_hello", "server_hello", "certificate", "client_key_exchange", "server_key_exchange")
    assert fresh_values(session)[5] == tuple(by_name[name] for name in names)


def test_tickets_that_are_offered():
    path = CAPTURES / "tls12-ticket-resumption" / "tls12-ticket-resumption.pcapng"
    first, second = sorted(read_sessions(CaptureReader([str(path)]), Engine(fields=False)), key=lambda session: session.id)
    assert fresh_values(first)[4] == ()
    (ticket,) = fresh_values(second)[4]
    assert 16 <= len(ticket) <= 64


def test_a_key_that_was_agreed_on_elsewhere_is_no_ticket():
    path = CAPTURES / "tls13-external-psk" / "tls13-external-psk.pcapng"
    for session in read_sessions(CaptureReader([str(path)]), Engine(fields=False)):
        assert fresh_values(session)[4] == ()
