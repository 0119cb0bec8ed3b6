"""The Heartbleed attack and what is none, by itself and in captures of the attack."""

import json
from pathlib import Path

import pytest
from sessions_by_hand import CLIENT, SERVER

from analyzer.cli.main import main
from analyzer.tls.record.heartbeats import Heartbeats, least_overhead
from analyzer.tls.suites import suite

TLS_1_0, TLS_1_1, TLS_1_2 = 0x0301, 0x0302, 0x0303


def heartbeat(kind: int, claimed: int, payload: bytes, padding: int = 16) -> bytes:
    return bytes([kind]) + claimed.to_bytes(2, "big") + payload + bytes(padding)


def read(*steps: tuple[int, bytes]) -> list[list[tuple[str, str]]]:
    """Codes and severities after each readable heartbeat."""
    heartbeats = Heartbeats()
    return [[found[:2] for found in heartbeats.take(role, body, len(body))] for role, body in steps]


def test_an_honest_heartbeat_is_answered():
    assert read((CLIENT, heartbeat(1, 4, b"ping")), (SERVER, heartbeat(2, 4, b"ping", 40))) == [[], []]
    assert read((SERVER, heartbeat(1, 0, b"")), (CLIENT, heartbeat(2, 0, b""))) == [[], []]


def test_the_attack_and_its_success():
    found = read((CLIENT, heartbeat(1, 0x4000, b"", 0)), (SERVER, heartbeat(2, 0x4000, b"memory", 0)))
    assert found == [[("heartbleed", "high")], [("heartbleed_response", "high")]]


def test_a_test_that_only_leaves_out_the_padding():
    found = read((CLIENT, heartbeat(1, 20, bytes(20), 0)), (SERVER, heartbeat(2, 20, bytes(20))))
    assert found == [[("heartbleed", "medium")], [("heartbleed_response", "medium")]]
    assert read((CLIENT, heartbeat(1, 20, bytes(20), 15))) == [[("heartbleed", "medium")]]


def test_a_request_before_finished_is_reported_once():
    heartbeats, honest = Heartbeats(), heartbeat(1, 4, b"ping")
    [found] = heartbeats.take(CLIENT, honest, len(honest), True)
    assert found == ("heartbeat_in_handshake", "low", "the client sent a heartbeat request before its Finished")
    assert heartbeats.take(CLIENT, honest, len(honest), True) == ()
    attack = Heartbeats().take(CLIENT, b"\1\x40\0", 3, True)
    assert [code for code, _, _ in attack] == ["heartbleed", "heartbeat_in_handshake"]
    answer = heartbeat(2, 4, b"ping")
    assert Heartbeats().take(SERVER, answer, len(answer), True) == ()
    assert Heartbeats().take(CLIENT, honest, len(honest), False) == ()


def test_a_response_alone_is_judged_by_its_own_length():
    assert read((SERVER, heartbeat(2, 9, b"memory"))) == [[]]
    assert read((SERVER, heartbeat(2, 900, b"memory"))) == [[("heartbleed", "high")]]
    assert read((SERVER, b"\2\0")) == [[]]


@pytest.mark.parametrize(
    ("number", "version", "least"),
    [
        (0x002F, TLS_1_0, 21),
        (0x002F, TLS_1_1, 37),
        (0x000A, TLS_1_2, 29),
        (0x0005, TLS_1_0, 20),
        (0xC02F, TLS_1_2, 8),
        (0x1301, 0x0304, 0),
    ],
)
def test_what_a_suite_adds(number: int, version: int, least: int):
    assert least_overhead(suite(number), version) == least
    assert least_overhead(None, version) == 0


def test_encrypted_heartbeats_have_only_lengths():
    heartbeats = Heartbeats()
    assert heartbeats.look(CLIENT, 48, suite(0x002F), TLS_1_0) == ()
    assert heartbeats.look(SERVER, 48 + 256, suite(0x002F), TLS_1_0) == ()
    assert heartbeats.look(CLIENT, 32, suite(0x002F), TLS_1_0)[0][:2] == ("heartbleed", "medium")
    assert heartbeats.look(SERVER, 16416, suite(0x002F), TLS_1_0)[0][:2] == ("heartbleed_response", "medium")


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("heartbleed", {"heartbleed"}),
        ("heartbleed-success", {"heartbleed", "heartbleed_response"}),
        ("heartbleed-encrypted", set()),
        ("heartbleed-encrypted-short", {"heartbleed"}),
        ("heartbleed-encrypted-success", {"heartbleed", "heartbleed_response"}),
    ],
)
def test_captures_of_the_attack(name: str, codes: set[str], corpus: Path, tmp_path: Path):
    main(["sessions", str(corpus / "zeek" / "tls" / f"{name}.pcap"), "--format", "json", "-o", str(tmp_path / "out")])
    (record,) = map(json.loads, (tmp_path / "out").read_text().splitlines())
    assert {finding["code"] for finding in record["findings"] if finding["code"].startswith("heartbleed")} == codes
