"""The audit of key logs, on real captures whose logs are truncated, mixed and damaged in every way."""

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Ran, Run

TLS13 = "CLIENT_HANDSHAKE_TRAFFIC_SECRET"


def capture_of(captures: Path, name: str) -> Path:
    return next(captures.joinpath(name).glob(f"{name}.pcap*"))


def log_of(captures: Path, name: str) -> list[str]:
    return captures.joinpath(name, f"{name}.keys").read_text().splitlines()


def audit(run: Run, *arguments: object) -> tuple[list[dict[str, Any]], dict[str, Any], Ran]:
    ran = run("keys", "--format", "json", *arguments)
    *sessions, log = [json.loads(line) for line in ran.out.splitlines()]
    assert log["kind"] == "keys"
    return sessions, log, ran


def words(text: str) -> str:
    """Text without its line breaks."""
    return " ".join(text.split())


@pytest.fixture
def write(tmp_path: Path):
    def write(*lines: str, name: str = "keys.log") -> Path:
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return write


def test_all_secrets_are_there(run: Run, captures: Path):
    sessions, log, ran = audit(run, capture_of(captures, "tls13-rsa"), "-k", captures / "tls13-rsa" / "tls13-rsa.keys")
    assert ran.status == 0
    assert [session["verdict"] for session in sessions] == ["complete"]
    assert sessions[0]["decryption"] == {"status": "decrypted", "reason": None}
    assert TLS13 in sessions[0]["found"]
    assert len(sessions[0]["lines"]) == len(sessions[0]["found"])
    assert log["unused"]["count"] == 0
    assert log["detail"] == "The log has secrets of 1 session, all of them of this capture, which has 1 session."


def test_a_label_is_missing(run: Run, captures: Path, write):
    lines = [line for line in log_of(captures, "tls13-rsa") if not line.startswith(TLS13)]
    sessions, _, _ = audit(run, capture_of(captures, "tls13-rsa"), "-k", write(*lines))
    assert sessions[0]["verdict"] == "partial"
    assert sessions[0]["missing"] == [TLS13]
    assert sessions[0]["detail"] == f"{TLS13} is missing"
    text = run("keys", capture_of(captures, "tls13-rsa"), "-k", write(*lines)).text
    assert "0 of 1 encrypted sessions have all secrets that they need, 1 a part, 0 none" in words(text)


def test_the_wrong_log_is_reported_in_a_sentence(run: Run, captures: Path):
    text = run("keys", capture_of(captures, "ipv6"), "-k", captures / "demo" / "demo.keys").text
    assert "The log has secrets of 6 sessions, none of this capture: it is of another run" in words(text)
    sessions, log, _ = audit(run, capture_of(captures, "ipv6"), "-k", captures / "demo" / "demo.keys")
    assert sessions[0]["verdict"] == "none"
    assert log["unused"]["count"] == log["secrets"] == 22


def test_without_a_log_the_needed_secrets_are_shown(run: Run, captures: Path):
    sessions, log, _ = audit(run, capture_of(captures, "tls12-ecdhe-ecdsa"))
    assert sessions[0]["missing"] == ["CLIENT_RANDOM"]
    assert log["detail"] == "No key log was given, and the capture holds none."


def test_nothing_is_encrypted(run: Run, captures: Path):
    sessions, _, _ = audit(run, capture_of(captures, "alert-protocol-version"))
    assert {session["verdict"] for session in sessions} == {"not_needed"}


def test_bad_repeated_and_contradicting_lines_are_reported_with_their_place(run: Run, captures: Path, write):
    lines = log_of(captures, "tls13-rsa")
    row = next(line for line in lines if line.startswith(TLS13))
    label, client_random, secret = row.split()
    first = write(*lines, "nonsense", f"{label} {client_random} 00", "FUTURE_LABEL 00 00", name="a.log")
    second = write(row, f"{label} {client_random} {'00' * 32}", f"{label} {'11' * 32} {'22' * 32}", name="b.log")
    sessions, log, ran = audit(run, capture_of(captures, "tls13-rsa"), "-k", first, "-k", second)
    at = lines.index(row) + 1
    assert log["repeated"] == {"count": 1, "pairs": [{"label": label, "first": f"{first}:{at}", "second": f"{second}:1"}]}
    assert log["conflicting"] == {"count": 1, "pairs": [{"label": label, "first": f"{first}:{at}", "second": f"{second}:2"}]}
    assert log["unused"]["count"] == 1
    unused = {"source": str(second), "line": 3, "label": label, "session": "11" * 32}
    assert log["unused"]["lines"] == [unused]
    assert [(one["source"], one["line"], one["why"]) for one in log["bad"]["lines"][:3]] == [
        (str(first), len(lines) + 1, "no line of a key log"),
        (str(first), len(lines) + 2, f"{label} with a secret of 1 bytes"),
        (str(first), len(lines) + 3, "unknown label FUTURE_LABEL"),
    ]
    assert (log["bad"]["count"], log["bad"]["unknown_labels"]) == (2, 1)
    assert sessions[0]["conflicting"] == [label]
    text = run("keys", capture_of(captures, "tls13-rsa"), "-k", first, "-k", second).text
    for part in (f"{first}:{at} and {second}:2", f"{second}:3: {label}", f"{first}:{len(lines) + 1}: no line of a key log"):
        assert part in words(text)
    assert secret not in text + ran.text
    assert "22" * 32 not in text + ran.text


def test_secrets_that_decrypt_nothing(run: Run, captures: Path, write):
    lines = [f"{line[:-64]}{'ab' * 32}" if len(line.split()) == 3 else line for line in log_of(captures, "tls13-rsa")]
    sessions, _, _ = audit(run, capture_of(captures, "tls13-rsa"), "-k", write(*lines))
    assert sessions[0]["verdict"] == "complete"
    assert sessions[0]["decryption"]["reason"] == "wrong_secret"
    assert sessions[0]["detail"] == "but they do not open its records: they are not of this session"


def test_a_private_key_that_fits_and_one_that_does_not(run: Run, captures: Path):
    name = "tls12-rsa-key-exchange"
    key = captures / name / f"{name}.key.pem"
    sessions, log, _ = audit(run, capture_of(captures, name), "--rsa-key", key)
    assert sessions[0]["verdict"] == "complete"
    assert sessions[0]["private_key"] == str(key)
    assert sessions[0]["detail"] == "opened without a line of its own"
    (fit,) = log["private_keys"]
    assert (fit["source"], fit["bits"]) == (str(key), 2048)
    assert (fit["opens"], fit["only_certificate"]["count"]) == ({"count": 1, "sessions": [0]}, 0)
    text = run("keys", captures / "demo.pcapng", "--rsa-key", key).text
    assert "2048 bits: of no certificate that is seen in this capture" in words(text)
    assert "BEGIN" not in text


def test_the_old_form_by_encrypted_premaster(run: Run, captures: Path, write):
    name = "tls12-rsa-key-exchange"
    shown = json.loads(run("sessions", capture_of(captures, name), "--format", "json", "--messages").out)
    message = next(one["message"] for one in shown["handshake"] if one["type"] == "client_key_exchange")
    encrypted = next(value for value in walk(message) if len(value) == 512)
    sessions, log, _ = audit(run, capture_of(captures, name), "-k", write(f"RSA {encrypted[:16]} {'03' * 48}"))
    assert sessions[0]["found"] == ["RSA"]
    assert sessions[0]["verdict"] == "complete"
    assert log["unused"]["count"] == 0


def walk(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in walk(one)]
    return [value] if isinstance(value, str) else []


def test_the_inner_random_of_an_encrypted_client_hello_counts(run: Run, captures: Path, write):
    path = capture_of(captures, "ech-accepted")
    lines = log_of(captures, "ech-accepted")
    sessions, log, _ = audit(run, path, "-k", write(*lines))
    assert sessions[0]["verdict"] == "complete"
    assert {TLS13, "ECH_SECRET", "ECH_CONFIG"} <= set(sessions[0]["found"])
    assert sessions[0]["inner_random"] in "".join(lines)
    assert sessions[0]["client_random"] != sessions[0]["inner_random"]
    assert log["unused"]["count"] == 0
    assert log["detail"] == "The log has secrets of 1 session, all of them of this capture, which has 1 session."
    sessions, log, _ = audit(run, path, "-k", write(*(line for line in lines if not line.startswith("ECH"))))
    assert sessions[0]["verdict"] == "complete"  # found by trial
    assert log["unused"]["count"] == 0
    other = write(*log_of(captures, "ech-rejected"))
    sessions, log, _ = audit(run, path, "-k", other)
    assert sessions[0]["verdict"] == "none"
    assert "which ECH_SECRET tells" in sessions[0]["detail"]
    assert "1 session of it may have another client random inside" in log["detail"]
