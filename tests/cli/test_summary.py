import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from analyzer.capture.capture_reader import CaptureReader
from analyzer.cli.table import width
from analyzer.store.summary_schema import SUMMARY

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
    text = run(demo, "--top", "17", columns=200).text
    for label in ("Ethernet", "IPv4", "IPv6", "TCP", "UDP", "ICMP", "ARP", "TLS", "DNS (port 53)", "HTTP (port 80)"):
        assert f" {label} " in text
    assert "the 10 with the most bytes of 16" in text
    assert "TLS sessions  8: 6 established, 2 not established" in text
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
    path = tmp_path / "sensors.pcap"
    path.write_bytes(struct.pack("<IHHiIIIIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 195, 1, 0, 4, 4) + b"abcd")
    line = f"{path}: 1 frame of link type IEEE802_15_4_WITHFCS (195), which is not read: nothing in them was looked at"
    for words in (("summary", "--format", "json"), ("sessions",), ("packets",)):
        result = run(*words, path)
        assert (result.status, result.err.decode()) == (1, f"analyzer: {line}\n")
    (finding,) = json.loads(run("summary", "--format", "json", path).out)["findings"]
    assert (finding["code"], finding["severity"], finding["detail"]) == ("unknown_link_type", "high", line)


def test_link_types_that_another_header_names_are_told_too(run: Run, tmp_path: Path):
    path = tmp_path / "ppi.pcap"
    frame = struct.pack("<BBHI", 0, 0, 8, 147) + b"what nobody knows"
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 192) + struct.pack("<IIII", 1, 0, 25, 25) + frame)
    line = f"{path}: 1 frame of link type 0x93 (147), which is not read: nothing in them was looked at"
    for words in (("summary", "--format", "json"), ("sessions",)):
        result = run(*words, path)
        assert (result.status, result.err.decode()) == (1, f"analyzer: {line}\n")
    overview = json.loads(run("summary", "--format", "json", path).out)
    assert [(one["code"], one["severity"]) for one in overview["findings"]] == [("unknown_link_type", "high")]
    assert [(one["kind"], one["count"]) for one in overview["not_examined"]] == [("link_type", 1)]
    assert overview["captures"][0]["link_types"] == ["PPI"]


def test_frames_that_do_not_say_what_they_carry_are_counted(run: Run, tmp_path: Path):
    path = tmp_path / "wireless.pcap"
    frame = b"\x08\x40" + bytes(22) + b"\0\0\0\x20\0\0\0\0" + b"encrypted"
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 105)
    path.write_bytes(head + (struct.pack("<IIII", 1, 0, len(frame), len(frame)) + frame) * 3)
    (one,) = json.loads(run("summary", "--format", "json", path).out)["not_examined"]
    text = "3 packets whose content is encrypted, compressed or unknown"
    assert (one["kind"], one["count"], one["detail"]) == ("content", 3, text)


def test_captures_that_were_joined_are_read_whole(run: Run, demo: Path, captures: Path, tmp_path: Path):
    path = tmp_path / "two.pcapng"
    path.write_bytes(demo.read_bytes() + struct.pack("<IHHiIIIIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1, 1, 0, 4, 4) + b"abcd")
    result = run("summary", "--format", "json", path)
    overview = json.loads(result.out)
    assert (result.status, overview["packets"]) == (0, 214)
    assert any("two files were joined" in one["detail"] for one in overview["findings"] if one["code"] == "odd_capture")


def summary_of(run: Run, *arguments: object) -> dict[str, Any]:
    ran = run("summary", "--format", "json", *arguments)
    assert (ran.status, ran.err) == (0, b"")
    record = json.loads(ran.out)
    Draft202012Validator(SUMMARY).validate(record)
    return record


def test_what_was_decrypted_is_told_with_hashes(run: Run, demo: Path):
    text = run(demo, columns=200).text
    http = text[text.index("HTTP, decrypted") : text.index("Certificate chains")]
    assert "9 requests in 6 sessions" in http
    assert "www.shop.example \u00d74" in http
    assert "text/html \u00d72 (1.34 kB)" in http
    (largest,) = [line for line in http.splitlines() if "banner.png" in line]
    assert largest.split() == [
        "download", "14.3", "kB", "image/png", "https://www.shop.example/images/banner.png", "1", "60",
        "2ff2ada14c1a79a0366615b3557788172ac20854070be5a35f1a83bb4e115fb4",
    ]  # fmt: skip
    assert "1e6e1d950f98da0ca115f18e5895cce889f178a11a790a4fa1572d8fab1250bd" in http  # of what POST /login sent


def test_hosts_are_told_with_their_names(run: Run, demo: Path):
    lines = run(demo, columns=120).text.splitlines()
    at = lines.index("Hosts  the 5 with the most bytes of 10")
    assert lines[at + 2].split()[3:] == ["192.0.2.10", "9.46", "kB", "31.8", "kB", "15", "7"]
    assert lines[at + 3].split()[3] == "198.51.100.20"
    assert lines[at + 3].endswith("www.shop.example")


def test_what_was_not_looked_into_is_told(run: Run, demo: Path, captures: Path):
    text = run(demo).text
    assert "1 TCP connection without TLS (782 bytes): only counted; `analyzer http` reads plain HTTP" in text
    found = {one["kind"]: one["count"] for one in summary_of(run, captures / "tls13-rsa" / "tls13-rsa.pcapng")["not_examined"]}
    assert found == {"sessions": 1}


def test_a_large_capture_has_totals_and_no_list(run: Run, tmp_path: Path):
    names = [f"host-{n % 7}.example".encode() for n in range(300)]
    path = tmp_path / "many.pcap"
    path.write_bytes(pcap(*(tcp(client_hello(name), source_port=20000 + n) for n, name in enumerate(names))))
    lines = run(path, columns=120).text.splitlines()
    assert len(lines) < 60
    (head,) = [line for line in lines if line.startswith("TLS sessions")]
    assert head.startswith("TLS sessions  300: ")
    (servers,) = [line for line in lines if line.startswith("  server names")]
    assert "host-0.example \u00d743" in servers
    assert "and 4 further values" in servers
    longer = run(path, "--top", "100", columns=120).text
    assert "host-6.example" in longer
    totals = summary_of(run, path)["sessions"]["totals"]
    assert totals["server_names"]["count"] == 7
    assert totals["clients"]["top"] == [{"value": "192.0.2.1", "count": 300}]


def test_the_number_of_rows_can_be_chosen(run: Run, demo: Path):
    assert summary_of(run, demo, "--top", "1")["hosts"]["top"][0]["address"] == "192.0.2.10"
    assert len(summary_of(run, demo)["hosts"]["top"]) == 10
    for bad in ("0", "101", "x"):
        assert run("summary", demo, "--top", bad).status == 2


def test_many_captures_are_a_table(run: Run, demo: Path, captures: Path):
    others = [captures / name / f"{name}.pcapng" for name in ("tls13-rsa", "tls12-aes-ccm", "ipv6")]
    text = run("summary", demo, *others, columns=200).text
    assert text.startswith("4 captures\n")
    assert hashlib.sha256(demo.read_bytes()).hexdigest() in text
    (line,) = [line for line in text.splitlines() if "tls12-aes-ccm.pcapng" in line]
    assert " pcapng " in line


def test_eap_is_looked_into(run):
    nested = Path(__file__).parents[1] / "vectors" / "nested"
    found = [summary_of(run, nested / f"{name}.pcap") for name in ("wpa-supplicant-hostapd", "eapol-test-radius")]
    counts = [{one["kind"]: one["count"] for one in overview["not_examined"]} for overview in found]
    assert counts == [{"other": 10, "sessions": 4}, {"sessions": 6}]  # the others are of ICMPv6


def test_a_session_that_was_captured_twice_counts_once(run, tmp_path: Path):
    path = Path(__file__).parents[2] / "captures" / "dtls12-psk" / "dtls12-psk.pcapng"
    twice = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for frame_reader in CaptureReader([str(path)]).packet_readers():
        while frame_reader.advance():
            frame = frame_reader.frame
            data = bytes(frame.data[frame.start : frame.end])
            twice += 2 * (struct.pack("<4I", 1_000_000, frame.at // 1000 % 1_000_000, len(data), len(data)) + data)
    (tmp_path / "a.pcap").write_bytes(twice)
    found = [one for one in summary_of(run, tmp_path / "a.pcap")["findings"] if one["code"] == "captured_twice"]
    assert [one["count"] for one in found] == [1]
    assert [place["session"] for place in found[0]["places"]] == [0]
