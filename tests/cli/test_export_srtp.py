"""`export --srtp-keys`: the keys that the endpoints exported, in a file of its owner's, and nowhere else."""

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from strict_schema import strict

from analyzer.store.srtp_schema import SRTP_KEYS

from .conftest import Run


@pytest.fixture
def captures(repository: Path) -> Path:
    return repository / "captures"


def export(run: Run, captures: Path, name: str, target: Path, *options: str) -> list[dict[str, Any]]:
    """The lines that are written."""
    folder = captures / name
    ran = run("export", folder / f"{name}.pcapng", "-k", folder / f"{name}.keys", "--srtp-keys", target, *options)
    assert ran.status == 0, ran.complaint
    assert ran.text == f"keys of SRTP of 1 session in {target}, which open its media for everybody who gets them\n"
    return [json.loads(line) for line in target.read_text("ascii").splitlines()]


@pytest.mark.parametrize("name", ["dtls12-srtp", "dtls13-srtp"])
def test_the_keys_are_those_that_the_endpoints_exported(captures: Path, run: Run, tmp_path: Path, name: str):
    target = tmp_path / "keys.jsonl"
    (record,) = export(run, captures, name, target)
    (session,) = json.loads((captures / name / "expected.json").read_text("utf-8"))["sessions"]
    sides = record["client"], record["server"]
    block = "".join(side[key] for key in ("master_key", "master_salt") for side in sides)
    assert block == session["when_decrypted"]["srtp_keying_material"]
    assert (record["profile"], record["profile_id"], record["mki"]) == ("SRTP_AES128_CM_HMAC_SHA1_80", 1, "")
    assert [{key: side[key] for key in ("address", "port")} for side in sides] == [session["client"], session["server"]]
    assert [base64.b64decode(side["inline"]).hex() for side in sides] == [
        one["master_key"] + one["master_salt"] for one in sides
    ]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_line_is_as_the_schema_says(captures: Path, run: Run, tmp_path: Path):
    (record,) = export(run, captures, "dtls12-srtp", tmp_path / "keys.jsonl")
    Draft202012Validator(strict(SRTP_KEYS)).validate(record)


def test_a_key_log_without_the_exporter_secret_gives_no_keys(captures: Path, run: Run, tmp_path: Path):
    folder = captures / "dtls13-srtp"
    lines = (folder / "dtls13-srtp.keys").read_text("ascii").splitlines(keepends=True)
    keys = tmp_path / "some.keys"
    keys.write_text("".join(line for line in lines if not line.startswith("EXPORTER")), "ascii")
    ran = run("export", folder / "dtls13-srtp.pcapng", "-k", keys, "--srtp-keys", tmp_path / "keys.jsonl")
    assert ran.status == 2
    assert b"1 session of DTLS without keys: the key log has no EXPORTER_SECRET of it" in ran.err


def test_exporter_secrets_that_contradict_each_other_give_no_keys(captures: Path, run: Run, tmp_path: Path):
    folder = captures / "dtls13-srtp"
    lines = (folder / "dtls13-srtp.keys").read_text("ascii").splitlines(keepends=True)
    (own,) = (line for line in lines if line.startswith("EXPORTER"))
    keys = tmp_path / "some.keys"
    keys.write_text("".join((*lines, own, own[:-9] + "00000000\n")), "ascii")
    ran = run("export", folder / "dtls13-srtp.pcapng", "-k", keys, "--srtp-keys", tmp_path / "keys.jsonl")
    assert ran.status == 2
    assert b"1 session of DTLS without keys: the key log has several different EXPORTER_SECRET of it" in ran.err
    keys.write_text("".join((*lines, own)), "ascii")
    assert export(run, captures, "dtls13-srtp", tmp_path / "keys.jsonl", "-k", str(keys))


def test_a_decrypted_session_without_a_profile_has_no_keys(captures: Path, run: Run, tmp_path: Path):
    folder = captures / "dtls12-cookie"
    ran = run("export", folder / "dtls12-cookie.pcapng", "-k", folder / "dtls12-cookie.keys", "--srtp-keys", tmp_path / "k")
    assert (ran.status, ran.complaint) == (2, "analyzer: no session of DTLS that was decrypted agreed on a profile of SRTP")


def test_without_secrets_there_are_no_keys_and_no_file(captures: Path, run: Run, tmp_path: Path):
    target = tmp_path / "keys.jsonl"
    ran = run("export", captures / "dtls12-srtp" / "dtls12-srtp.pcapng", "--srtp-keys", target)
    assert (ran.status, ran.text) == (2, "")
    assert ran.err.decode().splitlines() == [
        "analyzer: 1 session of DTLS without keys: not decrypted",
        "analyzer: no session of DTLS that was decrypted agreed on a profile of SRTP",
    ]
    assert list(tmp_path.iterdir()) == []


def test_sessions_over_tcp_do_not_count(captures: Path, run: Run, tmp_path: Path):
    ran = run("export", captures / "demo.pcapng", "--srtp-keys", tmp_path / "keys.jsonl")
    assert (ran.status, ran.text) == (2, "")
    assert ran.complaint == "analyzer: no session of DTLS that was decrypted agreed on a profile of SRTP"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--srtp-keys", "-"), "standard output cannot hold an export: name a file or a folder"),
        (("--srtp-keys", "a", "--har", "b"), "say where to: -o DIR"),
        (("--srtp-keys", "a", "--what", "objects"), "--what does not go with --srtp-keys"),
        (("--srtp-keys", "a", "--only"), "--only does not go with --srtp-keys"),
    ],
    ids=["standard-output", "two-targets", "what", "only"],
)
def test_bad_command_lines_are_refused(captures: Path, run: Run, options: tuple[str, ...], message: str):
    ran = run("export", captures / "demo.pcapng", *options)
    assert (ran.status, ran.text) == (2, "")
    assert message in ran.complaint


def test_a_file_that_exists_is_kept(captures: Path, run: Run, tmp_path: Path):
    target = tmp_path / "keys.jsonl"
    target.write_text("mine")
    ran = run("export", captures / "demo.pcapng", "--srtp-keys", target)
    assert ran.status == 2
    assert target.read_text() == "mine"


def test_the_schema_describes_a_line(run: Run):
    schema = json.loads(run("export", "--srtp-keys", "x", "--schema").text)
    assert schema["title"] == "srtp keys"
    assert set(schema["required"]) == {"session", "profile", "profile_id", "mki", "client", "server"}
    assert json.loads(run("export", "--schema").text)["title"] != "srtp keys"
