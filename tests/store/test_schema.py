"""Compares the declarations of records with the output of the commands, for the demonstration captures and the corpus."""

import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conversations import read_sessions
from jsonschema.protocols import Validator
from strict_schema import strict

from analyzer.capture.capture_reader import CaptureReader
from analyzer.cli.arguments import COMMANDS
from analyzer.cli.main import main
from analyzer.engine import Engine
from analyzer.store.output_schemas import SCHEMAS
from analyzer.store.schema import SESSION
from analyzer.store.session_record import json_line, session_record
from analyzer.text.session_csv import CSV_COLUMNS

CAPTURES = Path(__file__).parents[2] / "captures"


def validator(schema: dict[str, Any]) -> Validator:
    return jsonschema.Draft202012Validator(schema)


VALIDATORS = {command: validator(strict(schema)) for command, schema in SCHEMAS.items()}
KEY_OF_A_CERTIFICATE = {"exponent", "modulus", "key", "parameters", "prime", "subgroup", "generator", "base_point", "field"}


def records(path: Path) -> list[dict]:
    sessions = read_sessions(CaptureReader([str(path)]), Engine())
    return [json.loads(json_line(session_record(session, True))) for session in sessions]


def declared_keys(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key of a schema with its path and its own schema."""
    if isinstance(schema, list):
        for one in schema:
            yield from declared_keys(one, path)
    elif isinstance(schema, dict):
        for name, value in schema.get("properties", {}).items():
            yield f"{path}.{name}", value
            yield from declared_keys(value, f"{path}.{name}")
        for name, value in schema.get("$defs", {}).items():
            yield from declared_keys(value, f"{path}.{name}")
        for key in ("items", "anyOf", "oneOf"):
            yield from declared_keys(schema.get(key), path)


@pytest.mark.parametrize("command", SCHEMAS)
def test_a_schema_is_valid_and_describes_every_key(command: str):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[command])
    keys = list(declared_keys(SCHEMAS[command]))
    assert keys
    assert [path for path, schema in keys if not schema.get("description")] == []
    assert [path for path, schema in keys if "type" not in schema and "anyOf" not in schema and "$ref" not in schema] == (
        [".extensions.value"] if command == "certificates" else []
    )


def test_every_command_with_json_has_a_schema():
    assert set(SCHEMAS) == set(COMMANDS) - {"packet"}


def test_all_records_of_the_demonstration_captures_are_valid():
    paths = sorted(CAPTURES.rglob("*.pcap*"))
    n_records = 0
    for path in paths:
        for record in records(path):
            VALIDATORS["sessions"].validate(record)
            n_records += 1
    assert n_records > 30


@pytest.mark.corpus
def test_all_records_of_the_corpus_are_valid(corpus: Path):
    paths = sorted([*corpus.glob("zeek/*/*.pcap*"), *corpus.glob("ja4/*.pcap*")])
    found = [record for path in paths for record in records(path)]
    assert len(found) > 200
    for record in found:
        VALIDATORS["sessions"].validate(record)


LINES = {
    "crosscheck": ["demo.pcapng"],
    "compare": ["demo.pcapng", str(CAPTURES / "demo.pcapng")],
    "summary": ["demo.pcapng"],
    "certificates": ["demo.pcapng"],
    "inventory": ["demo.pcapng"],
    "packets": ["demo.pcapng"],
    "keys": ["demo.pcapng"],
    "show": ["demo.pcapng", "0"],
    "http": ["demo.pcapng"],
    "follow": ["demo.pcapng", "0"],
    "stats": ["demo.pcapng", "io"],
}


@pytest.mark.parametrize(
    "command", [pytest.param(one, marks=pytest.mark.peer("tshark")) if one == "crosscheck" else one for one in LINES]
)
def test_the_output_of_a_command_is_as_declared(command: str, capsys: pytest.CaptureFixture[str]):
    capture, *rest = LINES[command]
    assert main([command, str(CAPTURES / capture), *rest, "--format", "json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines
    for line in lines:
        record = json.loads(line)
        if command == "certificates":
            record["public_key"] = {k: v for k, v in record["public_key"].items() if k not in KEY_OF_A_CERTIFICATE}
        VALIDATORS[command].validate(record)
    if command in ("packets", "certificates", "inventory", "summary", "show", "http", "crosscheck", "compare", "stats"):
        assert list(json.loads(lines[0])) == list(SCHEMAS[command]["properties"])


def test_a_damaged_capture_is_a_finding_of_the_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    damaged = tmp_path / "cut.pcapng"
    damaged.write_bytes((CAPTURES / "demo.pcapng").read_bytes()[:-5])
    assert main(["summary", str(damaged), "--format", "json"]) == 1
    summary = json.loads(capsys.readouterr().out)
    VALIDATORS["summary"].validate(summary)
    assert summary["captures"][0]["error"]["field"]
    assert [one["code"] for one in summary["findings"] if one["severity"] == "high"] == ["damaged_capture"]


def block(kind: int, body: bytes) -> bytes:
    """A pcapng block, little-endian."""
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def test_counters_that_overflow_and_many_comments_are_bounded(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    comment = struct.pack("<HH", 1, 4000) + b"\x01" * 4000
    dropped = b"".join(struct.pack("<HHQ", option, 8, (1 << 64) - 1) for option in (5, 7))
    capture = tmp_path / "hostile.pcapng"
    capture.write_bytes(
        block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + comment * 300)
        + block(1, struct.pack("<HHI", 1, 0, 0))
        + block(5, struct.pack("<III", 0, 0, 0) + dropped)
    )
    assert main(["summary", str(capture), "--format", "json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    VALIDATORS["summary"].validate(summary)
    (facts,) = summary["captures"]
    assert facts["interfaces"]["first"][0]["dropped"] == (1 << 64) - 1
    assert facts["comments"]["count"] > len(facts["comments"]["first"]) == 100
    assert {len(one["text"]) for one in facts["comments"]["first"]} == {1000}


def test_a_name_that_is_no_utf_8_is_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    capture = os.fsdecode(bytes(tmp_path / "cut") + b"\xff.pcapng")
    keylog = os.fsdecode(bytes(tmp_path / "keys") + b"\xff")
    Path(capture).write_bytes((CAPTURES / "demo.pcapng").read_bytes()[:-5])
    Path(keylog).write_text("CLIENT_RANDOM 00 00\n")
    assert main(["summary", capture, "--format", "json"]) == 1
    summary = json.loads(capsys.readouterr().out)
    assert summary["captures"][0]["path"].endswith(r"cut\xff.pcapng")
    assert any(r"cut\xff.pcapng" in one["detail"] for one in summary["findings"])
    assert main(["keys", capture, "-k", keylog, "--format", "json"]) == 1
    assert r"keys\xff" in json.loads(capsys.readouterr().out.splitlines()[-1])["bad"]["lines"][0]["source"]


def test_the_codes_are_as_declared(capsys: pytest.CaptureFixture[str]):
    for kind in ("--findings", "--causes"):
        assert main(["fields", kind, "--format", "json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 100
    for line in lines:
        VALIDATORS["fields"].validate(json.loads(line))


def test_a_manifest_is_as_declared(tmp_path: Path):
    options = ["--what", "objects,certificates,streams"]
    assert main(["export", str(CAPTURES / "demo.pcapng"), "-o", str(tmp_path / "out"), *options]) == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert {entry["kind"] for entry in manifest["files"]} >= {"response", "certificate", "stream"}
    VALIDATORS["export"].validate(manifest)


@pytest.mark.parametrize("command", SCHEMAS)
def test_every_command_prints_its_schema(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([command, "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMAS[command]
    written = tmp_path / "schema.json"
    assert main([command, "-o", str(written), "--schema", "--color", "never"]) == 0
    assert (json.loads(written.read_text()), capsys.readouterr().out) == (SCHEMAS[command], "")


def test_a_command_without_json_has_no_schema(capsys: pytest.CaptureFixture[str]):
    assert main(["packet", "--schema"]) == 2
    assert "packet has no JSON output" in capsys.readouterr().err


def test_every_key_is_required_and_known():
    (record, *_) = records(CAPTURES / "demo.pcapng")
    assert list(record) == list(SESSION["properties"])
    assert set(SESSION["required"]) == set(record)


def test_csv_columns_are_of_declared_keys():
    assert all(column.schema.get("description") or "$ref" in column.schema for column in CSV_COLUMNS)
    assert len({column.name for column in CSV_COLUMNS}) == len(CSV_COLUMNS)


@pytest.mark.parametrize(
    ("key", "value"),
    [("id", None), ("protocol", "ssl"), ("version", 3), ("established", "yes"), ("ja3", "x"), ("start_time", "yesterday")],
)
def test_a_wrong_value_is_invalid(key: str, value: object):
    (record, *_) = records(CAPTURES / "demo.pcapng")
    with pytest.raises(jsonschema.ValidationError):
        validator(SESSION).validate(record | {key: value})


def test_a_missing_key_is_invalid_and_a_new_one_is_valid():
    (record, *_) = records(CAPTURES / "demo.pcapng")
    validator(SESSION).validate(record | {"new": 1})
    with pytest.raises(jsonschema.ValidationError):
        validator(SESSION).validate({key: value for key, value in record.items() if key != "gaps"})
