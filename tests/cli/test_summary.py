import hashlib
import json
import struct
from pathlib import Path

import pytest

from analyzer.cli.table import width

from .conftest import Run, client_hello, pcap, tcp


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_it_fits_the_window(run: Run, demo: Path, columns: int):
    lines = run(demo, columns=columns).text.splitlines()
    assert max(map(width, lines)) <= columns


def test_it_shows_what_is_in_the_file(run: Run, demo: Path):
    text = run(demo).text
    data = demo.read_bytes()
    assert hashlib.sha256(data).hexdigest() in text
    assert f"({len(data):,} bytes)" in text
    assert "frames        213" in text
    assert "2026-11-02 09:00:00.000000 to 2026-11-02 09:00:28.011000 UTC (28.011 s)" in text
    assert "1 Decryption Secrets Block" in text
    assert "A demonstration capture" in text


def test_protocols_conversations_and_sessions(run: Run, demo: Path):
    text = run(demo, columns=200).text
    for label in ("Ethernet", "IPv4", "IPv6", "TCP", "UDP", "ICMP", "ARP", "TLS", "DNS (port 53)", "HTTP (port 80)"):
        assert f" {label} " in text
    assert "the 10 with the most bytes of 16" in text
    assert "TLS sessions  8, 6 established" in text
    assert "192.0.2.10:49206" in text
    assert "api.weather.example" in text


def test_findings_name_sessions_and_frames(run: Run, captures: Path):
    text = run(captures / "tcp-trouble" / "tcp-trouble.pcapng").text
    findings = text[text.index("Findings") :]
    assert "conflicting_segments" in findings
    assert "1.46 kB of TLS streams in 1 piece are missing from the capture" in findings
    assert findings.index("high") < findings.index("low")


def test_fatal_alerts_are_findings(run: Run, demo: Path):
    findings = run(demo).text.partition("\nFindings")[2]
    assert "fatal_alert" in findings
    assert "client gave up: certificate_expired [session 5 frame 165]" in " ".join(findings.split())


def test_without_tls_there_are_no_sessions(run: Run, tmp_path: Path):
    path = tmp_path / "plain.pcap"
    path.write_bytes(pcap(tcp(b"GET / HTTP/1.0\r\n\r\n", destination_port=80)))
    text = run(path).text
    assert "TLS sessions  none found" in text
    assert "Findings  none" in text


def test_a_damaged_file_is_a_finding(run: Run, tmp_path: Path):
    path = tmp_path / "cut.pcap"
    path.write_bytes(pcap(tcp(client_hello(b"www.example")), tcp(b"x"))[:-1])
    ran = run(path)
    assert ran.status == 1
    assert "damaged_capture" in ran.text
    assert "after frame 1" in ran.text
    assert "www.example" in ran.text


def test_a_capture_without_packets(run: Run, tmp_path: Path):
    path = tmp_path / "empty.pcap"
    path.write_bytes(pcap())
    ran = run(path)
    assert (ran.status, ran.err) == (0, b"")
    assert "frames        0" in ran.text


def test_frames_of_a_link_type_that_is_not_read_are_told_loudly(run: Run, tmp_path: Path):
    path = tmp_path / "usb.pcap"
    path.write_bytes(struct.pack("<IHHiIIIIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 189, 1, 0, 4, 4) + b"abcd")
    line = f"{path}: 1 frame of link type USB_LINUX (189), which is not read: nothing in them was looked at"
    for words in (("summary", "--format", "json"), ("sessions",), ("packets",)):
        result = run(*words, path)
        assert (result.status, result.err.decode()) == (1, f"analyzer: {line}\n")
    (finding,) = json.loads(run("summary", "--format", "json", path).out)["findings"]
    assert (finding["code"], finding["severity"], finding["detail"]) == ("unknown_link_type", "high", line)


def test_captures_that_were_joined_are_read_whole(run: Run, demo: Path, captures: Path, tmp_path: Path):
    path = tmp_path / "two.pcapng"
    path.write_bytes(demo.read_bytes() + struct.pack("<IHHiIIIIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1, 1, 0, 4, 4) + b"abcd")
    result = run("summary", "--format", "json", path)
    overview = json.loads(result.out)
    assert (result.status, overview["packets"]) == (0, 214)
    assert any("two files were joined" in one["detail"] for one in overview["findings"] if one["code"] == "odd_capture")
