"""`analyzer inventory`: its text, its tables, and which parts of it options choose."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from analyzer.cli.main import main
from analyzer.store import seen_certificates

from .conftest import Ran, Run, client_hello, pcap, tcp


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in this process."""

    def ask(*arguments: object, columns: int = 120) -> Ran:
        monkeypatch.setenv("COLUMNS", str(columns))
        status = main([*map(str, arguments)])
        written = capsys.readouterr()
        return Ran(status, written.out.encode(), written.err.encode())

    return ask


@pytest.fixture(scope="module")
def hybrid(captures: Path) -> Path:
    return captures / "tls13-x25519mlkem768" / "tls13-x25519mlkem768.pcapng"


@pytest.fixture(scope="module")
def old(captures: Path) -> Path:
    return captures / "tls10-rsa"


def part_of(ran: Ran, title: str) -> str:
    """One part of the text, in one line."""
    assert (ran.status, ran.err) == (0, b"")
    return " ".join(ran.text.partition("\n" + title)[2].partition("\n\n")[0].split())


def rows(ran: Ran) -> list[dict[str, str]]:
    assert (ran.status, ran.err) == (0, b"")
    return list(csv.DictReader(io.StringIO(ran.text)))


def record(ran: Ran) -> dict[str, Any]:
    assert ran.status == 0
    found: dict[str, Any] = json.loads(ran.out)
    return found


def test_all_parts_in_short(ask: Run, demo: Path):
    ran = ask("inventory", demo)
    heads = ("Servers", "Clients", "Certificates", "JA4 fingerprints", "Weak and legacy", "Post-quantum readiness")
    assert [line for line in heads if f"\n{line}" in ran.text] == list(heads)
    assert "and 1 more: --servers lists them" in ran.text


def test_a_chosen_part_is_whole_and_alone(ask: Run, demo: Path):
    ran = ask("inventory", demo, "--servers")
    assert "more: --servers" not in ran.text
    assert "[2001:db8:20::443]:443" in ran.text
    assert "JA4 fingerprints" not in ran.text
    assert "cipher suites TLS_AES_256_GCM_SHA384" in part_of(ran, "Servers")


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_window(ask: Run, demo: Path, columns: int):
    assert max(map(len, ask("inventory", demo, columns=columns).text.splitlines())) <= columns


def test_expiring_tells_what_has_expired_from_what_expires(ask: Run, demo: Path):
    certificates = part_of(ask("inventory", demo, "--expiring", "30d"), "Certificates")
    assert "expired (7 days ago) CN=old.example 203.0.113.77:443" in certificates
    assert "news.example" not in certificates
    soon = part_of(ask("inventory", demo, "--expiring", "9w"), "Certificates")
    assert "expires soon 4, expired 1" in soon
    assert "expires soon (59 days left) CN=news.example 203.0.113.30:443" in soon


def test_a_span_may_be_nothing_or_longer_than_dates_go(ask: Run, demo: Path):
    assert "soon is within 0 hours" in part_of(ask("inventory", demo, "--expiring", "0d"), "Certificates")
    assert "expires soon 5, expired 1" in part_of(ask("inventory", demo, "--expiring", "520000w"), "Certificates")


def test_a_certificate_that_is_not_listed_was_sent(ask: Run, old: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(seen_certificates, "LARGEST", 8)
    assert "sent, not listed" in part_of(ask("inventory", old), "Servers")


def test_the_moment_can_be_another(ask: Run, demo: Path):
    early = part_of(ask("inventory", demo, "--expiring", "30d", "--at", "2026-08-01"), "Certificates")
    assert "not yet valid CN=news.example" in early
    assert "at 2026-08-01 00:00:00 UTC" in early
    late = record(ask("inventory", demo, "--at", "2027-02-01", "--format", "json"))["expiry"]
    assert (late["expired"], late["at"]) == (5, "2027-02-01T00:00:00.000000000Z")


def test_certificates_of_tls13_without_keys_are_not_visible(ask: Run, captures: Path):
    folder = captures / "tls13-ed25519"
    ran = ask("inventory", folder / "tls13-ed25519.pcapng", "--certificates", "--servers")
    assert "not visible in 1 session" in part_of(ran, "Certificates")
    assert "TLS 1.3 not visible" in part_of(ran, "Servers")
    keyed = ask("inventory", folder / "tls13-ed25519.pcapng", "--servers", "-k", folder / "tls13-ed25519.keys")
    assert "not visible" not in keyed.text
    assert "valid, until" in part_of(keyed, "Servers")


def test_weak_says_of_offers_that_they_are_offers(ask: Run, old: Path, demo: Path):
    weak = part_of(ask("inventory", old, "--weak", columns=140), "Weak and legacy")
    assert "agreed on with 1 server" in weak
    assert "Version that must not be used 198.51.100.20:443" in weak
    assert "they speak TLS 1.0, which RFC 8996 forbids" in weak
    offered = part_of(ask("inventory", demo, "--weak"), "Weak and legacy")
    assert offered.startswith("nothing was agreed on offered by clients")
    assert "Version that must not be used 1 1 192.0.2.10" in offered


def test_post_quantum(ask: Run, hybrid: Path):
    ready = part_of(ask("inventory", hybrid, "--post-quantum"), "Post-quantum readiness")
    assert "accepted by the server: 1 session" in ready
    assert "ML-KEM and a curve: 1 session" in ready
    assert "X25519MLKEM768" in ready


def test_several_captures_are_one(ask: Run, old: Path, hybrid: Path):
    found = record(ask("inventory", old, hybrid, "--format", "json"))
    assert [len(found["captures"]), found["sessions"]["count"]] == [2, 2]


def test_a_part_of_the_capture(ask: Run, demo: Path):
    found = record(ask("inventory", demo, "--host", "www.bank.example", "--format", "json"))
    assert [one["address"] for one in found["servers"]] == ["198.51.100.44"]
    assert found["part"]["hosts"] == ["www.bank.example"]
    assert found["sessions"]["count"] == 2


@pytest.mark.parametrize("form", ["text", "json", "csv", "cbom"])
def test_the_number_of_processes_changes_nothing(run: Run, captures: Path, form: str):
    folder = captures / "tls13-psk-resumption"
    options = [next(folder.glob("*.pcap*")), "-k", next(folder.glob("*.keys")), "--format", form]
    alone = run("inventory", *options, "-j", "1")
    assert alone.out
    assert run("inventory", *options, "-j", "2").out == alone.out


def test_each_part_is_a_table_of_csv(ask: Run, demo: Path, old: Path):
    assert len(rows(ask("inventory", demo, "--format", "csv"))) == 6
    server = rows(ask("inventory", demo, "--servers", "--format", "csv"))[0]
    assert (server["address"], server["names"], server["versions"]) == ("198.51.100.20", "www.shop.example", "TLS 1.3")
    client = rows(ask("inventory", demo, "--clients", "--format", "csv"))[1]
    assert client["post_quantum_groups"] == "SecP256r1MLKEM768; X25519MLKEM768; curveSM2MLKEM768"
    (expired,) = rows(ask("inventory", demo, "--expiring", "30d", "--format", "csv"))
    assert (expired["state"], expired["days_left"], expired["servers"]) == ("expired", "-8", "203.0.113.77:443")
    assert {row["hosts"] for row in rows(ask("inventory", demo, "--ja4", "--format", "csv"))} == {
        "192.0.2.10",
        "2001:db8:10::10",
    }
    weak = rows(ask("inventory", old, "--weak", "--format", "csv"))
    assert (weak[0]["what"], weak[0]["code"], weak[0]["address"]) == ("agreed", "deprecated_version", "198.51.100.20")
    assert (weak[-1]["what"], weak[-1]["code"], weak[-1]["address"]) == ("offered", "deprecated_version", "192.0.2.10")
    ready = rows(ask("inventory", demo, "--post-quantum", "--format", "csv"))
    assert [row["accepted"] for row in ready] == ["0", "0", "0", "0", "0", "1"]


def test_one_csv_has_one_table(ask: Run, demo: Path):
    ran = ask("inventory", demo, "--servers", "--ja4", "--format", "csv")
    assert (ran.status, ran.complaint) == (2, "analyzer: a CSV file is one table: choose one part")


@pytest.mark.parametrize("span", ["30", "d", "-1d", "30m", "9999999d"])
def test_a_span_has_a_unit(ask: Run, demo: Path, span: str):
    ran = ask("inventory", demo, f"--expiring={span}")
    assert ran.status == 2
    assert "is no time: say days, weeks or hours" in ran.complaint


def test_a_file_that_is_no_capture(ask: Run, tmp_path: Path):
    path = tmp_path / "text.pcap"
    path.write_text("no capture")
    ran = ask("inventory", path)
    assert (ran.status, ran.out) == (2, b"")
    assert ran.complaint


def test_a_damaged_capture_gives_what_could_be_read(ask: Run, demo: Path, tmp_path: Path):
    path = tmp_path / "cut.pcapng"
    path.write_bytes(demo.read_bytes()[:-100])
    ran = ask("inventory", path, "--format", "json")
    assert ran.status == 1
    assert json.loads(ran.out)["sessions"]["count"] == 8


def test_a_capture_without_tls(ask: Run, tmp_path: Path):
    path = tmp_path / "plain.pcap"
    path.write_bytes(pcap(tcp(b"hello")))
    ran = ask("inventory", path)
    assert (ran.status, ran.err) == (0, b"")
    assert "0 sessions, 0 servers, 0 clients, 0 certificates" in ran.text


def test_text_of_a_capture_is_harmless(ask: Run, tmp_path: Path):
    path = tmp_path / "hostile.pcap"
    path.write_bytes(pcap(tcp(client_hello(b"\x1b[31m=cmd()"))))
    assert b"\x1b[31m" not in ask("inventory", path).out
    names = rows(ask("inventory", path, "--format", "csv"))[0]["names"]
    assert "\x1b" not in names
