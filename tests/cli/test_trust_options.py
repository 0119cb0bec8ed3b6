"""The trust options, from the command line to the record."""

import json
import subprocess
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

import pytest

from analyzer.cli.time_argument import parse_time

from .conftest import Run


@pytest.fixture(scope="module")
def roots(captures: Path) -> Path:
    return captures / "demo" / "demo.ca.pem"


def chains(run: Run, *arguments: object) -> dict[str, tuple[str, list[str]]]:
    """Return verdict and codes of the servers' chains, by server name."""
    found: dict[str, tuple[str, list[str]]] = {}
    for line in run("sessions", *arguments, "--format", "json").out.splitlines():
        record: dict[str, Any] = json.loads(line)
        if record["chain"]["verdict"] != "absent":
            codes = [problem["code"] for problem in record["chain"]["problems"]]
            found[record["server_name"]] = record["chain"]["verdict"], codes
    return found


def test_the_store_decides(run: Run, demo: Path, roots: Path):
    assert all("unknown_issuer" in codes for _, codes in chains(run, demo).values())
    trusting = chains(run, demo, "--trust", roots)
    assert trusting["www.shop.example"] == ("valid", [])
    assert trusting["old.example"] == ("invalid", ["expired"])
    assert chains(run, demo, "--trust", "mozilla", "--trust", roots) == trusting


def test_the_time_decides(run: Run, demo: Path, roots: Path):
    earlier = chains(run, demo, "--trust", roots, "--at", "2026-10-20T12:00:00Z")
    assert earlier["old.example"] == ("valid", [])
    later = chains(run, demo, "--trust", roots, "--at", "2035-01-01T00:00:00+02:00")
    assert set(later["www.shop.example"][1]) == {"expired"}
    (line, *_) = [
        json.loads(one)["chain"]
        for one in run("sessions", demo, "--trust", roots, "--at", "2026-10-20", "--format", "json").out.splitlines()
        if json.loads(one)["chain"]["at"]
    ]
    assert line["at"] == "2026-10-20T00:00:00.000000000Z"


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"])
def test_the_first_and_the_last_time(run: Run, demo: Path, roots: Path, at: str):
    for line in run("sessions", demo, "--trust", roots, "--at", at, "--format", "json").out.splitlines():
        chain = json.loads(line)["chain"]
        if chain["at"]:
            assert chain["at"][:19] == at[:19]
            assert {problem["code"] for problem in chain["problems"]} <= {"expired", "not_yet_valid"}
            assert chain["verdict"] == "invalid"


def test_now_is_now(run: Run, demo: Path, roots: Path):
    from time import gmtime, strftime

    lines = run("sessions", demo, "--trust", roots, "--at", "now", "--format", "json").out.splitlines()
    time_argument = {json.loads(line)["chain"]["at"] for line in lines} - {None}
    assert len(time_argument) == 1
    assert time_argument.pop()[:10] == strftime("%Y-%m-%d", gmtime())


def test_certificates_inside_tls_1_3_are_validated(run: Run, captures: Path):
    folder = captures / "tls13-client-certificate"
    name = folder.name
    record = json.loads(
        run(
            "sessions", folder / f"{name}.pcapng", "-k", folder / f"{name}.keys", "--trust", folder / f"{name}.ca.pem",
            "--format", "json",
        ).out.splitlines()[0]
    )  # fmt: skip
    assert (record["version"], record["chain"]["verdict"], record["client_chain"]["verdict"]) == ("TLS 1.3", "valid", "valid")


@pytest.mark.peer("openssl")
def test_a_revocation_list_of_openssl(run: Run, tmp_path: Path):
    """Only the revocation list is tested here. A hierarchy and a capture of `openssl s_client` would need a network."""
    key, certificate = tmp_path / "ca.key", tmp_path / "ca.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(key),
         "-out", str(certificate), "-subj", "/CN=List"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    (tmp_path / "index.txt").write_text("")
    (tmp_path / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={tmp_path}/index.txt\ndefault_md=sha256\ndefault_crl_days=30\n"
    )
    crl = tmp_path / "list.pem"
    subprocess.run(
        ["openssl", "ca", "-gencrl", "-config", str(tmp_path / "ca.cnf"), "-keyfile", str(key), "-cert", str(certificate),
         "-out", str(crl)],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    captures = Path(__file__).resolve().parents[2] / "captures"
    record = [
        json.loads(line)["chain"]
        for line in run("sessions", captures / "demo.pcapng", "--crl", crl, "--format", "json").out.splitlines()
    ]
    statuses = [entry for chain in record for entry in chain["revocation"]]
    assert statuses
    assert {entry["status"] for entry in statuses} == {"unknown"}


@pytest.mark.parametrize("option", ["--trust", "--intermediates", "--crl", "--ct-logs"])
def test_a_wrong_file_is_reported_at_once(run: Run, demo: Path, tmp_path: Path, option: str):
    for path in (tmp_path / "missing", tmp_path / "empty"):
        (tmp_path / "empty").write_bytes(b"nothing")
        for command in (("sessions", demo), ("show", demo, 0), ("certificates", demo), ("summary", demo)):
            ran = run(*command, option, path)
            assert (ran.status, ran.out) == (2, b"")
            assert path.name in ran.complaint


def test_the_output_never_overwrites_a_store(run: Run, demo: Path, tmp_path: Path, roots: Path):
    store = tmp_path / "store.pem"
    store.write_bytes(roots.read_bytes())
    ran = run("sessions", demo, "--trust", store, "-o", store)
    assert (ran.status, "would overwrite" in ran.complaint) == (2, True)
    assert store.read_bytes() == roots.read_bytes()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("capture", "capture"),
        ("now", "now"),
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01t00:00:00.123456789z", 123_456_789),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
        ("1970-01-01 00:00:00.5-01:00", 3_600_500_000_000),
        ("9999-12-31T23:59:59.999999999Z", 253_402_300_799_999_999_999),
    ],
)
def test_times(text: str, at: object):
    assert parse_time(text) == at


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "1970-01-01T00:00:00", "1970-13-01", "1970-01-01T25:00:00Z", "12", "Now", "0001-01-01T00:00:00+01:00"],
)
def test_what_is_not_a_time_is_an_error(run: Run, demo: Path, text: str):
    with pytest.raises(ArgumentTypeError):
        parse_time(text)
    ran = run("sessions", demo, "--at", text)
    assert (ran.status, "--at" in ran.complaint) == (2, True)


def test_the_summary_counts_verdicts_and_lists_invalid_chains(run: Run, demo: Path, roots: Path):
    text = run("summary", demo, "--trust", roots, columns=120).text
    part = text[text.index("Certificate chains") : text.index("Findings")]
    assert "4 valid, 1 invalid" in part
    assert [line.split()[:2] for line in part.splitlines()[2:] if line] == [["expired", "old.example"]]
    assert "5 invalid; trusting mozilla of 20" in run(demo).text
