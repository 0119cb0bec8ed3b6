"""The questions on README.md: the command that stands there gives the answer."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Ran, Run

Ask = Callable[..., Ran]


@pytest.fixture
def ask(run: Run, demo: Path, repository: Path) -> Ask:
    """Run a command that stands on the page, word for word; `files` is replaced by a folder of the test."""
    page = (repository / "README.md").read_text("utf-8")

    def ask(command: str, files: Path | None = None, status: int = 0) -> Ran:
        assert f"`{command}`" in page
        words = [str(demo) if word == "captures/demo.pcapng" else word for word in command.split()[1:]]
        ran = run(*[str(files) if word == "files" else word for word in words])
        assert (ran.status, ran.err) == (status, b"")
        return ran

    return ask


def test_why_did_a_connection_fail(ask: Ask):
    failures = " ".join(ask("analyzer captures/demo.pcapng").text.partition("\nFailures")[2].partition("\n\n")[0].split())
    assert failures.startswith("2 connections; ")
    assert "Server's certificate expired (ended by the client) 192.0.2.10 to 203.0.113.77:443 (old.example)" in failures
    assert "[session 5, frame" in failures
    assert "203.0.113.99:443 (legacy.example)" in failures
    assert "certificate_expired" in ask("analyzer show captures/demo.pcapng 5").text


def test_what_did_the_servers_send_as_files(ask: Ask, tmp_path: Path):
    files = tmp_path / "files"
    ask("analyzer export captures/demo.pcapng -o files --what objects", files)
    entries = {
        entry["url"]: entry
        for entry in json.loads((files / "manifest.json").read_bytes())["files"]
        if entry["kind"] == "response"
    }
    banner = entries["https://www.shop.example/images/banner.png"]
    assert hashlib.sha256((files / banner["file"]).read_bytes()).hexdigest() == banner["sha256"]
    assert banner["file"].endswith(".png")
    assert len(entries) == 8


def test_what_happened_in_a_span_of_time(ask: Ask):
    text = ask("analyzer captures/demo.pcapng --since 2026-11-02T09:00:10Z --until 2026-11-02T09:00:20Z").text
    assert "--since 2026-11-02T09:00:10.000000000Z --until 2026-11-02T09:00:20.000000000Z" in text
    assert "old.example" in text
    assert "legacy.example" in text
    assert "news.example" not in text


def test_what_did_a_host_talk_to_and_what_was_said(ask: Ask):
    sessions = ask("analyzer sessions captures/demo.pcapng --host 192.0.2.10").text
    assert sessions.count("192.0.2.10:") == 7
    assert "api.weather.example" not in sessions
    said = ask("analyzer http captures/demo.pcapng --host 192.0.2.10").text
    assert "https://news.example/feed.json" in said
    assert "api.weather.example" not in said


def test_only_the_sessions_to_one_server(ask: Ask):
    head, *sessions = ask("analyzer sessions captures/demo.pcapng --host www.shop.example").text.splitlines()
    assert head.split()[0] == "id"
    assert [line.split()[0] for line in sessions] == ["0", "1"]
    assert all(" www.shop.example " in line for line in sessions)


def test_who_has_the_most_traffic(ask: Ask):
    hosts = ask("analyzer summary captures/demo.pcapng --top 20").text.partition("\nHosts")[2].partition("\n\n")[0].splitlines()
    assert hosts[2].split() == ["41.3", "kB", "179", "192.0.2.10", "9.46", "kB", "31.8", "kB", "15", "7"]
    assert len(hosts) == 12


def test_which_servers_still_speak_old_versions_or_ciphers(ask: Ask):
    weak = ask("analyzer inventory captures/tls10-rsa captures/tls11-ecdhe-rsa --weak").text.partition("\nWeak and legacy")[2]
    agreed = " ".join(weak.partition("offered by clients")[0].split())
    assert "Version that must not be used 198.51.100.20:443 1 www.example" in agreed
    assert "they speak TLS 1.0, which RFC 8996 forbids" in agreed
    assert "they speak TLS 1.1, which RFC 8996 forbids" in agreed
    assert weak.partition("offered by clients")[2].split()[-1] == "192.0.2.10"


def test_which_certificates_expire_soon_and_who_serves_them(ask: Ask):
    certificates = ask("analyzer inventory captures/demo.pcapng --expiring 30d").text.partition("\nCertificates")[2]
    head, _, first, *_ = certificates.splitlines()
    assert "expired 1 (at 2026-11-02 09:00:28 UTC; soon is within 30 days)" in head
    assert first.split()[:6] == ["2026-10-26", "expired", "(7", "days", "ago)", "CN=old.example"]
    assert "203.0.113.77:443" in first
    assert "news.example" not in certificates


def test_which_fingerprints_are_rare_and_who_has_them(ask: Ask):
    listed = ask("analyzer inventory captures/demo.pcapng --ja4").text.partition("\nJA4 fingerprints")[2].splitlines()
    assert listed[1].split() == ["JA4", "sessions", "clients", "hosts"]
    assert listed[2].split() == ["t12d0208h1_f09d9ff7e6fc_3c5a66c06c35", "1", "1", "192.0.2.10"]
    assert "2001:db8:10::10" in [line.split()[-1] for line in listed[2:]]
    assert len(listed) == 10


def test_what_is_in_this_capture_that_was_not_in_last_weeks(ask: Ask):
    command = "analyzer compare captures/tls13-x25519/tls13-x25519.pcapng captures/demo.pcapng"
    lines = ask(command, status=3).text.splitlines()
    names = lines[lines.index("Server names  7") + 2 :][:7]
    assert [line.split()[:2] for line in names] == [
        ["+", "www.shop.example"], ["+", "news.example"], ["+", "www.bank.example"], ["+", "old.example"],
        ["+", "legacy.example"], ["+", "api.weather.example"], ["-", "www.example"],
    ]  # fmt: skip
    gate = ask(f"{command} --new-findings", status=3).text
    assert "+  fatal_alert (medium)" in gate
    assert "Server names" not in gate
