"""DTLS from datagrams to sessions: captures with known answers, and what can happen to their packets."""

import json
from pathlib import Path
from typing import Any

import pytest
from conversations import read_sessions

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.store.session_record import session_record

CAPTURES = ("dtls1_0", "dtls1_2", "dtls13-wolfssl", "dtls13-cid", "dtls-sequence-number-jumps", "webrtc-stun")


KEYS = ("protocol", "client", "server", "first_frame", "version", "cipher_suite_id", "group", "ja3", "ja3s", "established")


def sessions_of(path: Path) -> list[dict[str, Any]]:
    """The records of the sessions of a capture."""
    return [session_record(session, False) for session in read_sessions(CaptureReader([str(path)]), Engine())]


@pytest.mark.parametrize("name", CAPTURES)
def test_captures_with_known_answers(name: str, corpus: Path):
    found = sessions_of(corpus / "zeek/tls" / f"{name}.pcap")
    lines = (corpus / "expected/zeek/tls" / f"{name}.pcap.jsonl").read_text().splitlines()
    assert len(found) == len(lines)
    for record, line in zip(found, lines, strict=True):
        expected = json.loads(line)
        names = [one["type"] for one in record["handshake"] if not one["encrypted"]]
        assert names == [one[0] for one in expected["handshake"]]
        for key in expected.keys() & {
            "protocol",
            "version",
            "cipher_suite_id",
            "group",
            "ja3",
            "ja3s",
            "established",
            "client",
        }:
            assert record[key] == expected[key], key
        assert {one["code"] for one in record["findings"]} <= {"deprecated_version", "mac_then_encrypt", "self_signed_service"}
