import csv
import io
import json
from pathlib import Path

import pytest

from .conftest import Run


def records(run: Run, *arguments: object) -> list[dict]:
    return [json.loads(line) for line in run("sessions", "--format", "json", *arguments).out.splitlines()]


def test_json_has_one_record_per_line_as_the_captures_expect(run: Run, demo: Path, captures: Path):
    expected = json.loads((captures / "demo" / "expected.json").read_text())["sessions"]
    found = sorted(records(run, demo), key=lambda record: record["id"])
    assert [record["id"] for record in found] == list(range(len(expected)))
    for record, wanted in zip(found, expected, strict=True):
        for key in ("client", "server", "version", "server_name", "cipher_suite_id", "group", "first_frame"):
            if key in wanted:
                assert record[key] == wanted[key]


def test_sessions_are_written_as_they_end(run: Run, demo: Path):
    found = records(run, demo)
    assert [record["last_frame"] for record in found] == sorted(record["last_frame"] for record in found)


def test_messages_are_decoded_only_with_the_option(run: Run, demo: Path):
    without = [message["message"] for record in records(run, demo) for message in record["handshake"]]
    assert without
    assert set(without) == {None}
    hello = records(run, demo, "--messages")[0]["handshake"][0]
    assert hello["type"] == "client_hello"
    assert hello["message"]["legacy_version"] == "TLS 1.2"


def test_csv_is_in_order_of_ids_and_has_the_same_facts(run: Run, demo: Path):
    rows = list(csv.DictReader(io.StringIO(run("sessions", demo, "--format", "csv").text, newline="")))
    found = sorted(records(run, demo), key=lambda record: record["id"])
    assert [int(row["id"]) for row in rows] == [record["id"] for record in found]
    for row, record in zip(rows, found, strict=True):
        assert row["client_address"] == record["client"]["address"]
        assert row["version"] == (record["version"] or "")
        assert row["established"] == ("true" if record["established"] else "false")
        assert row["ja4"] == (record["ja4"] or "")
        assert row["handshake"].split() == [message["type"] for message in record["handshake"]]


def test_text_has_one_line_a_session_in_a_pipe(run: Run, demo: Path):
    head, *rows = run("sessions", demo).text.splitlines()
    assert head.split()[:2] == ["id", "time"]
    assert [row.split()[0] for row in rows] == [str(number) for number in range(len(rows))]
    assert len(rows) == len(records(run, demo))


def test_text_shows_what_happened(run: Run, demo: Path):
    text = run("sessions", demo).text
    for fact in ("www.shop.example", "TLS_AES_256_GCM_SHA384", "X25519MLKEM768", "psk", "ticket", "CN=old.example"):
        assert fact in text
    assert "fatal certificate_expired from client" in text


def test_several_captures_are_one_run(run: Run, captures: Path):
    first, second = captures / "ipv6" / "ipv6.pcapng", captures / "vlan" / "vlan.pcap"
    found = records(run, first, second)
    assert sorted(record["id"] for record in found) == list(range(len(found)))
    alone = records(run, second)
    assert max(record["last_frame"] for record in found) > max(record["last_frame"] for record in alone)


def test_the_schema_is_printed(run: Run):
    schema = json.loads(run("sessions", "--schema").out)
    assert schema["properties"]["id"]["type"] == "integer"


@pytest.mark.parametrize("command", ["sessions", "summary"])
@pytest.mark.parametrize("jobs", [("-j", 1), ("--jobs", 2), ("-j", 64)], ids=["1", "2", "64"])
def test_any_number_of_jobs_gives_the_same(run: Run, captures: Path, command: str, jobs: tuple[object, ...]):
    capture = captures / "tls13-psk-resumption" / "tls13-psk-resumption.pcapng"
    arguments = [command, capture, "-k", capture.with_suffix(".keys")]
    alone, shared = run(*arguments), run(*arguments, *jobs)
    assert (alone.status, alone.err, shared.status, shared.err) == (0, b"", 0, b"")
    assert alone.out
    assert shared.out == alone.out


@pytest.mark.parametrize("jobs", ["0", "65", "-1", "x", "1.5", ""])
def test_other_numbers_of_jobs_are_errors(run: Run, demo: Path, jobs: str):
    refused = run("sessions", demo, f"--jobs={jobs}")
    assert (refused.status, refused.out) == (2, b"")
    assert "--jobs" in refused.complaint
