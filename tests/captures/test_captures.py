"""The demonstration captures: each has its files, and `analyzer sessions` finds in them what their `expected.json` says."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
NAMES = sorted(path.parent.name for path in CAPTURES.glob("*/expected.json"))

# The keys of a session record that compare as they are; the others have a form of their own below.
PLAIN = (
    "id",
    "protocol",
    "client",
    "server",
    "first_frame",
    "version",
    "cipher_suite_id",
    "group",
    "server_name",
    "alpn",
    "established",
    "resumed",
    "resumption",
)

# A line of an NSS key log: a label and a client random, or the first bytes of an RSA-encrypted premaster secret; a secret.
KEY = re.compile(r"(?:[A-Z_0-9]+ (?P<random>[0-9a-f]{64})|RSA [0-9a-f]{16}) [0-9a-f]+")


def read_expected(name: str) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads((CAPTURES / name / "expected.json").read_text("utf-8"))
    return expected


def find_capture(name: str) -> Path:
    return CAPTURES.joinpath(name, read_expected(name)["capture"]).resolve()


@cache
def analyze(name: str) -> tuple[dict[str, Any], ...]:
    """The session records of `analyzer sessions`, by id."""
    folder = CAPTURES / name
    command = [sys.executable, "-m", "analyzer", "sessions", str(find_capture(name)), "--format", "json"]
    command += ["-k", str(folder / f"{name}.keys")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180, cwd=CAPTURES.parent)
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return tuple(sorted(records, key=lambda record: int(record["id"])))


def differences(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Every value of `expected` that the record `found` does not have."""
    decrypted = (found["decryption"] or {}).get("status") == "decrypted"
    wanted = {**expected, **expected.get("when_decrypted", {})} if decrypted else expected
    pairs = [(key, wanted[key], found[key]) for key in PLAIN if key in wanted]
    if "resumes" in wanted and found["resumes"] is not None:
        pairs.append(("resumes", wanted["resumes"], found["resumes"]))
    if "ech" in wanted:
        pairs.append(("ech", wanted["ech"], {key: found["ech"][key] for key in wanted["ech"]}))
    pairs.append(("handshake", *messages(wanted["handshake"], found["handshake"], decrypted)))
    if "alerts" in wanted:
        pairs.append(("alerts", *alerts(wanted["alerts"], found["alerts"], decrypted)))
    for side, sent in wanted.get("certificates", {}).items():
        pairs.append((f"{side} certificates", sent, [certificate["sha256"] for certificate in found["certificates"][side]]))
    if "gaps" in wanted:
        gaps = [{key: gap[key] for key in ("from", "offset", "length")} for gap in found["gaps"]]
        pairs.append(("gaps", wanted["gaps"], gaps))
    if "decryption" in wanted:
        pairs.append(("decrypted bytes", wanted["decryption"]["bytes"], found["decryption"]["bytes"]))
    if "http" in wanted and found["http"] is not None:
        pairs.append(("http", wanted["http"], [exchange(each) for each in found["http"]]))
    return [f"{key}: {want} is expected, {have} was found" for key, want, have in pairs if want != have]


def messages(wanted: list[list[Any]], found: list[dict[str, Any]], decrypted: bool) -> tuple[list[Any], list[Any]]:
    want = [message[:3] for message in wanted if decrypted or len(message) == 3]
    have = [message for message in found if decrypted or not message["encrypted"]]
    return want, [[message["type"], message["from"], message["frame"]] for message in have]


def alerts(wanted: list[dict[str, Any]], found: list[dict[str, Any]], decrypted: bool) -> tuple[list[Any], list[Any]]:
    want = [alert for alert in wanted if decrypted or not alert["encrypted"]]
    have = [{key: alert[key] for key in ("level", "description", "from", "frame", "encrypted")} for alert in found]
    return want, [alert for alert in have if decrypted or not alert["encrypted"]]


def exchange(found: dict[str, Any]) -> dict[str, Any]:
    request, response = found["request"], found["response"]
    return {
        "request": {key: request[key] for key in ("method", "authority", "path")},
        "response": None if response is None else {"status": response["status"]},
    }


def test_the_readme_names_every_capture() -> None:
    text = (CAPTURES / "README.md").read_text("utf-8")
    assert [name for name in NAMES if f"`{name}`" not in text and f"`{name}.pcapng`" not in text] == []


def test_every_folder_is_a_capture() -> None:
    folders = {path.name for path in CAPTURES.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_capture_has_its_origin_and_its_keys(name: str) -> None:
    assert (CAPTURES / name / "origin.md").read_text("utf-8").startswith(f"# {name}\n")
    capture = find_capture(name).read_bytes()
    lines = (CAPTURES / name / f"{name}.keys").read_text("ascii").splitlines()
    secrets = [line for line in lines if not line.startswith("#")]
    matches = [KEY.fullmatch(line) for line in secrets]
    assert None not in matches
    sessions = read_expected(name)["sessions"]
    hidden = sessions[0]["protocol"] == "quic"  # its Initial packets are encrypted, with keys that everybody can compute
    if not hidden and any(message[0] == "finished" for session in sessions for message in session["handshake"]):
        assert any(bytes.fromhex(match["random"]) in capture for match in matches if match and match["random"])


@pytest.mark.parametrize("name", NAMES)
def test_the_analyzer_finds_what_endpoints_and_tshark_say(name: str) -> None:
    expected = read_expected(name)["sessions"]
    found = analyze(name)
    assert len(found) == len(expected)
    assert [differences(*pair) for pair in zip(expected, found, strict=True)] == [[] for _ in expected]


@pytest.mark.parametrize(
    ("name", "option", "content"),
    [
        ("dtls12-rsa-key-exchange", "--rsa-key", None),
        ("dtls12-psk", "--psk-file", "Client_identity 0123456789abcdef0123456789abcdef\n"),
    ],
    ids=["rsa", "psk"],
)
def test_dtls_opens_with_the_key_of_the_server_alone(name: str, option: str, content: str | None, tmp_path: Path) -> None:
    key = CAPTURES / name / f"{name}.key.pem"
    if content is not None:
        key = tmp_path / "keys.psk"
        key.write_text(content, "ascii")
    command = [sys.executable, "-m", "analyzer", "sessions", str(find_capture(name)), "--format", "json", option, str(key)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180, cwd=CAPTURES.parent)
    assert done.returncode == 0, done.stderr
    (found,) = [json.loads(line) for line in done.stdout.splitlines()]
    (expected,) = read_expected(name)["sessions"]
    assert found["authenticity"]["finished"] == {"client": "verified", "server": "verified"}
    assert differences(expected, found) == []
