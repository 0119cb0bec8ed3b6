"""Findings of a capture as a whole: each where it must appear, and none in ordinary traffic."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from conversations import CLIENT, SERVER, Flight
from repeated_talks import Capture, talk

from analyzer.analysis.capture_findings import LEAST_SESSIONS, MAX_RARE, CaptureFindings
from analyzer.cli.main import main

CODES = {"rare_fingerprint", "repeated_connections", "failed_key_exchanges", "failed_records", "other_traffic_on_443"}


@pytest.fixture
def found(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Returns the new findings in the summary of a capture, which are the same for one, two and three processes."""

    def read(capture: Capture) -> list[dict[str, Any]]:
        path = capture.write(tmp_path / "made.pcap")
        texts = []
        for jobs in "123":
            assert main(["summary", str(path), "--format", "json", "-j", jobs]) == 0
            texts.append(capsys.readouterr().out)
        assert texts[0] == texts[1] == texts[2]
        assert main(["summary", str(path)]) == 0
        findings = json.loads(texts[0])["findings"]
        shown = capsys.readouterr().out
        assert all(finding["code"] in shown for finding in findings)
        return [finding for finding in findings if finding["code"] in CODES]

    return read


def test_beacons_of_tls_and_of_other_connections(found):
    capture = Capture()
    for number in range(7):
        capture.add(talk("TLSv1_3", number))
        capture.add([(CLIENT, b"PING\r\n"), (SERVER, b"PONG\r\n")], server_port=8080)
        capture.at += 30_000_000_000
    beacons = found(capture)
    assert [(beacon["code"], beacon["severity"], beacon["count"]) for beacon in beacons] == [
        ("repeated_connections", "info", 7)
    ] * 2
    assert [place["session"] for place in beacons[0]["places"]] == [0, 1, 2, 3, 4]
    assert {place["session"] for place in beacons[1]["places"]} == {None}
    assert all(place["frame"] for beacon in beacons for place in beacon["places"])


def test_a_burst_is_no_beacon(found):
    capture = Capture()
    for number in range(12):
        capture.add(talk("TLSv1_3", number))
    assert found(capture) == []


@pytest.mark.parametrize(
    ("said", "like"),
    [
        ([(CLIENT, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), (SERVER, b"HTTP/1.1 200 OK\r\n\r\n")], "HTTP"),
        ([(SERVER, b"SSH-2.0-OpenSSH_9.6\r\n"), (CLIENT, b"SSH-2.0-x\r\n")], "SSH"),
        ([(CLIENT, bytes.fromhex("d29b34caf54f2e220acd941e71b88d58") * 9)], "unknown protocol"),
        ([(CLIENT, b"hello")], "first bytes hello"),
        ([(CLIENT, b"\x16\x03\x01\x02\0" + bytes(512))], "first bytes 0x1603010200"),
    ],
)
def test_other_traffic_on_443(said: list[Flight], like: str, found):
    capture = Capture()
    capture.add(said)
    capture.add(talk("TLSv1_2", 0))
    (finding,) = found(capture)
    assert (finding["code"], finding["severity"], finding["count"]) == ("other_traffic_on_443", "info", 1)
    assert like in finding["detail"]
    assert finding["places"] == [{"session": None, "frame": 4}]


@pytest.mark.parametrize("case", ["another port", "no start", "few bytes", "lost bytes", "upgraded"])
def test_what_is_no_other_traffic_on_443(case: str, found):
    capture = Capture()
    said = [(CLIENT, b"CONNECT www.example:443 HTTP/1.1\r\n\r\n"), (SERVER, b"HTTP/1.1 200 OK\r\n\r\n")]
    if case == "few bytes":
        said = [(CLIENT, b"\x16\x03\x01")]  # a hello may begin so
    if case == "upgraded":
        said += talk("TLSv1_3", 0)
    capture.add(said, server_port=8443 if case == "another port" else 443)
    if case == "no start":
        del capture.frames[:3]
    if case == "lost bytes":
        capture.frames = [(at, data) for number, (at, data) in enumerate(capture.frames) if number != 3]
    assert found(capture) == []


def session(number: int, ja4: str, client: int = 1) -> dict[str, Any]:
    return {
        "id": number, "client": {"address": f"10.0.0.{client}", "port": 1024 + number},
        "server": {"address": "2001:db8::1", "port": 443}, "server_name": None, "ja4": ja4, "first_frame": number + 1,
        "cipher_suite_id": None, "established": True, "resumed": False, "handshake": [], "alerts": [], "gaps": [],
    }  # fmt: skip


def collected(fingerprints: list[str]) -> list[tuple[str, str]]:
    findings = CaptureFindings()
    for number, name in enumerate(fingerprints):
        findings.take_record(session(number, name))
    return [(finding.code, finding.detail) for finding in findings.findings()]


def test_a_fingerprint_that_was_seen_once():
    ((code, detail),) = collected(["usual"] * (LEAST_SESSIONS - 1) + ["rare"])
    assert code == "rare_fingerprint"
    assert f"JA4 rare was seen once among {LEAST_SESSIONS} sessions, from 10.0.0.1 to 2001:db8::1" in detail


@pytest.mark.parametrize(
    "fingerprints",
    [
        ["usual"] * (LEAST_SESSIONS - 2) + ["rare"],
        ["usual"] * LEAST_SESSIONS,
        [str(number) for number in range(200)],
        ["usual"] * 1000 + [str(number) for number in range(MAX_RARE + 1)],
    ],
)
def test_no_fingerprint_stands_out(fingerprints: list[str]):
    assert collected(fingerprints) == []


def test_limits_are_told():
    findings = CaptureFindings()
    (limit,) = findings.findings(forgotten=True)
    assert (limit.code, limit.severity) == ("limit", "info")
    for number in range((1 << 16) + 1):
        findings.take_other(struct.pack(">8sHH", bytes(8), 1024 + number % 60000, 443), 1, b"GET / HTTP/1.1")
    found = {finding.code: finding.count for finding in findings.findings()}
    assert found == {"other_traffic_on_443": 1 << 16, "limit": 1}
