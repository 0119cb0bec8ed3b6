import csv
import hashlib
import io
import json
import os
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conversations import read_sessions
from cryptography.hazmat.primitives.serialization import Encoding
from hierarchy import make_root

from analyzer.capture.capture_reader import CaptureReader
from analyzer.cli.certificates import Listing
from analyzer.cli.table import width
from analyzer.engine import Engine
from analyzer.store.chain_verdicts import Chains

from .conftest import Run

DEMO = 6
"""Distinct certificates in the demonstration."""


@pytest.fixture(scope="module")
def mutual(captures: Path) -> Path:
    return captures / "tls12-client-certificate" / "tls12-client-certificate.pcapng"


@pytest.fixture(scope="module")
def listed(run: Run, demo: Path) -> list[dict]:
    return [json.loads(line) for line in run("certificates", demo, "--format", "json").out.splitlines()]


def test_each_certificate_once_with_all_sessions_that_sent_it(run: Run, demo: Path, listed: list[dict]):
    sent: dict[str, list[int]] = {}
    for line in run("sessions", demo, "--format", "json").out.splitlines():
        record = json.loads(line)
        for entry in record["certificates"]["server"]:
            sent.setdefault(entry["sha256"], []).append(record["id"])
    assert len(listed) == len(sent) == DEMO
    assert {entry["sha256"]: entry["sessions"]["server"] for entry in listed} == {
        name: sorted(ids) for name, ids in sent.items()
    }
    assert all(entry["sessions"]["client"] == [] for entry in listed)


def test_json_has_all_facts_of_a_certificate(listed: list[dict]):
    first = listed[0]
    assert [one["name"] for one in first["extensions"]] == [
        "basicConstraints", "subjectAltName", "extKeyUsage", "keyUsage", "subjectKeyIdentifier", "authorityKeyIdentifier",
    ]  # fmt: skip
    assert first["extensions"][2]["value"] == ["serverAuth"]
    assert (first["version"], first["type"], first["problems"]) == (3, "x509", [])


def test_both_sides(run: Run, mutual: Path):
    records = [json.loads(line) for line in run("certificates", mutual, "--format", "json").out.splitlines()]
    sides = [name for record in records for name in ("server", "client") if record["sessions"][name]]
    assert sides == sorted(sides, reverse=True)
    assert set(sides) == {"server", "client"}
    text = run("certificates", mutual).text
    assert "CN=alice@example.com" in text
    assert "sent by" in text


def test_keys_show_the_certificates_of_tls_1_3(run: Run, captures: Path):
    folder = captures / "tls13-x25519"
    assert run("certificates", folder / "tls13-x25519.pcapng").text.startswith("no certificates")
    keys = folder / "tls13-x25519.keys"
    assert "CN=" in run("certificates", folder / "tls13-x25519.pcapng", "-k", keys).text


def test_csv(run: Run, demo: Path, listed: list[dict]):
    rows = list(csv.DictReader(io.StringIO(run("certificates", demo, "--format", "csv").out.decode())))
    assert [row["sha256"] for row in rows] == [entry["sha256"] for entry in listed]
    assert rows[1]["sessions"] == " ".join(map(str, listed[1]["sessions"]["server"]))
    assert rows[0]["sent_by"] == "server"


@pytest.mark.parametrize("columns", [80, 120])
def test_text_fits_the_window(run: Run, demo: Path, columns: int):
    for more in ((), ("--long",)):
        lines = run("certificates", demo, *more, columns=columns).text.splitlines()
        assert max(map(width, lines)) <= columns


def test_long_has_every_extension(run: Run, demo: Path):
    text = run("certificates", demo, "--long", columns=120).text
    for fact in (
        "basicConstraints, critical        ca yes, path length 0",
        "key SHA-256",
        "the server in session 0, 2-3, 5, 7",
    ):
        assert fact in text


@pytest.mark.peer("openssl")
def test_openssl_reads_the_pem_files(run: Run, demo: Path, tmp_path: Path, listed: list[dict]):
    folder = tmp_path / "new" / "folder"
    old = os.umask(0o022)
    try:
        assert run("certificates", demo, "--pem", folder).status == 0
    finally:
        os.umask(old)
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == sorted(f"{entry['sha256']}.pem" for entry in listed)
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o644
        command = ["openssl", "x509", "-in", str(file), "-outform", "DER"]
        der = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
        assert hashlib.sha256(der).hexdigest() == file.stem
    before = [file.stat().st_mtime_ns for file in files]
    assert run("certificates", demo, "--pem", folder).status == 0
    assert [file.stat().st_mtime_ns for file in files] == before


def test_no_other_file_is_ever_overwritten(run: Run, demo: Path, tmp_path: Path, listed: list[dict]):
    precious = tmp_path / f"{listed[0]['sha256']}.pem"
    precious.write_bytes(b"precious")
    ran = run("certificates", demo, "--pem", tmp_path)
    assert ran.status == 2
    assert "is there already, and is another file" in ran.complaint
    assert precious.read_bytes() == b"precious"
    precious.unlink()
    precious.symlink_to(tmp_path / "elsewhere")
    assert run("certificates", demo, "--pem", tmp_path).status == 2
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_made_is_reported(run: Run, demo: Path, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    ran = run("certificates", demo, "--pem", tmp_path / "file" / "below")
    assert (ran.status, "file" in ran.complaint) == (2, True)


def test_the_order_is_by_session_number_and_not_by_end(demo: Path):
    sessions = list(read_sessions(CaptureReader([str(demo)]), Engine()))
    forwards, backwards = Listing(Chains()), Listing(Chains())
    for session in sessions:
        forwards.add(session)
    for session in reversed(sessions):
        backwards.add(session)
    assert [der for der, _ in forwards.in_order()] == [der for der, _ in backwards.in_order()]
    assert len(forwards.sent) == DEMO


def test_the_problems_of_a_certificate_are_in_its_row(run: Run, demo: Path, captures: Path):
    roots = captures / "demo" / "demo.ca.pem"
    found = [json.loads(line) for line in run("certificates", demo, "--trust", roots, "--format", "json").out.splitlines()]
    assert {entry["subject"]: (entry["verdicts"], entry["chain_problems"]) for entry in found} == {
        "CN=www.shop.example": (["valid"], []),
        "CN=Example Trust Services Issuing 1,O=Example Trust Services": ([], []),
        "CN=news.example": (["valid"], []),
        "CN=www.bank.example": (["valid"], []),
        "CN=old.example": (["invalid"], ["expired"]),
        "CN=api.weather.example": (["valid"], []),
    }
    assert "against it  expired" in run("certificates", demo, "--trust", roots, "--long").text


def test_an_unknown_issuer_by_younger_roots_is_not_red(run: Run, captures: Path, tmp_path: Path):
    root = make_root("Young", not_before=datetime(2032, 1, 1, tzinfo=UTC), not_after=datetime(2040, 1, 1, tzinfo=UTC))
    roots = tmp_path / "roots.pem"
    roots.write_bytes(root.certificate.public_bytes(Encoding.PEM))
    capture = captures / "tls13-rsa" / "tls13-rsa.pcapng"
    keys = capture.with_suffix(".keys")
    text = run("certificates", capture, "-k", keys, "--trust", roots, "--color", "always", columns=240).text
    assert "\x1b[33munknown issuer (the roots are years" in text
    assert "\x1b[31m" not in text
