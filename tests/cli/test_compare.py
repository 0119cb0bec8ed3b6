"""`analyzer compare`: two places and two times, as text, JSON and CSV, with the exit status."""

import csv
import io
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from two_taps import HOUR, MS, NEAR, SERVER, Tap, copy_of, direct, in_order, intercepted, packets, through

from analyzer.cli.main import main
from analyzer.store import compare_record
from analyzer.store.output_schemas import SCHEMAS

from .conftest import Ran, Run

Ask = Callable[..., Ran]

CAPTURES = Path(__file__).resolve().parents[2] / "captures"
DEMO = CAPTURES / "demo.pcapng"
OLDER = CAPTURES / "tls13-x25519" / "tls13-x25519.pcapng"


def compared(*arguments: object, status: int) -> dict[str, Any]:
    """The JSON of a comparison, which is as declared."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "compared.json")
        assert main(["compare", *map(str, arguments), "--format", "json", "-o", str(out)]) == status
        record: dict[str, Any] = json.loads(out.read_bytes())
    jsonschema.validate(record, SCHEMAS["compare"])
    return record


@pytest.fixture
def ask(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Run the command in this process, as wide as `columns`."""

    def ask(*arguments: object, columns: int | None = None) -> Ran:
        if columns is not None:
            monkeypatch.setenv("COLUMNS", str(columns))
        status = main(list(map(str, arguments)))
        sys.stdout.flush()
        return Ran(status, *capfdbinary.readouterr())

    return ask


@pytest.fixture(scope="module")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A connection of real endpoints at two places with a translated address, a smaller MSS, a lost segment, 3 hours apart."""
    folder = tmp_path_factory.mktemp("lossy")
    (chunks,) = direct(folder, "www.example.test")
    sent = packets(chunks)
    gone = [one for one in sent if one.payload and one.side == SERVER][2]
    a, b = Tap(2, 4 * MS), Tap(7, 15 * MS, ahead=3 * HOUR, ends=(("198.51.100.1", 61000), NEAR[1]), mss=1380)
    through(in_order(*sent, copy_of(gone, 100 * MS)), a, b, lost=[gone])
    return a.write(folder / "client.pcapng"), b.write(folder / "server.pcapng")


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Three connections through a proxy that ends TLS, on both of its sides, 5 hours apart."""
    folder = tmp_path_factory.mktemp("proxied")
    near, far = intercepted(folder, "one.test", "two.test", "three.test")
    a, b = Tap(1, MS), Tap(0, MS, ahead=-5 * HOUR)
    for tap, connections, host in ((a, near, "10.0.0.5"), (b, far, "192.0.2.99")):
        for number, chunks in enumerate(connections):
            tap.ends = ((host, 40000 + number), NEAR[1])
            start = 1_700_000_000_000_000_000 + chunks[0][0] - near[0][0][0]
            isns = 0x20000000 + len(host) * 1_000_000 + number, 0x30000000 + len(host) * 1_000_000 + number
            for one in packets(chunks, isns, start=start):
                tap.see(one)
    return a.write(folder / "near.pcapng"), b.write(folder / "far.pcapng")


def test_two_places_are_found_by_what_they_have_in_common(lossy: tuple[Path, Path]):
    record = compared(*lossy, status=3)
    assert (record["mode"], record["why"]) == ("places", "common_connections")
    assert abs(record["clock"]["offset"] - 10800) <= record["clock"]["uncertainty"] < 0.012
    assert record["interception"] == {"verdict": "excluded", "proven": 0, "possible": 0, "excluded": 1, "unknown": 0}
    assert record["totals"]["lost_from_server"]["segments"] == 1
    assert record["totals"]["lost_from_server"]["bytes"] == 1400
    assert record["totals"]["missed_a"] == record["totals"]["missed_b"] == {"segments": 0, "bytes": 0, "frames": []}
    (connection,) = record["connections"]["listed"]
    assert [one["fact"] for one in connection["changed"]] == ["client", "client_mss", "server_mss"]
    assert (connection["from_server"]["resent_a"], connection["from_server"]["resent_b"]) == (0, 1)
    assert (connection["from_client"]["hops_a"], connection["from_client"]["hops_b"]) == (62, 57)


def test_the_text_says_the_same(ask: Ask, lossy: tuple[Path, Path]):
    for columns in (80, 120):
        ran = ask("compare", *lossy, columns=columns)
        assert ran.status == 3
        assert max(map(len, ran.text.splitlines())) <= columns
        text = " ".join(ran.text.split())
        for words in (
            "both have connections in common", "B is 3:00:00.000", "± 11.0 ms", "A is nearer to the clients, 5 routers between",
            "excluded for 1 session", "from servers 1 segment (1.40 kB)", "MSS of the client 1460 1380",
            "address of the client 10.0.0.5 198.51.100.1",
        ):  # fmt: skip
            assert words in text


def test_a_proxy_is_possible_and_what_differs_is_shown(ask: Ask, proxied: tuple[Path, Path]):
    record = compared(*proxied, "--places", status=3)
    assert (record["mode"], record["why"], record["interception"]["possible"]) == ("places", "asked", 3)
    assert record["clock"]["by"] == "names"
    text = ask("compare", *proxied, "--places", columns=120).text
    assert "CN=Corporate Proxy" in text
    assert "possible for 3 sessions" in text
    rows = list(csv.DictReader(io.StringIO(ask("compare", *proxied, "--places", "--format", "csv").text)))
    assert {row["kind"] for row in rows if row["entry"] == "session"} >= {"", "certificate", "issuer", "ja4"}


def test_two_times_are_taken_where_nothing_is_common(ask: Ask, proxied: tuple[Path, Path]):
    record = compared(*proxied, status=3)
    assert (record["mode"], record["why"], record["clock"]) == ("times", "nothing_common", None)
    changed = [one for one in record["differences"]["listed"] if one["change"] == "changed"]
    assert {(one["kind"], *one["issuers_before"], *one["issuers_after"]) for one in changed} == {
        ("certificate", "CN=Corporate Proxy", "CN=Honest CA")
    }
    assert "no connection is in both (--places compares them as two places)" in ask("compare", *proxied).text


def test_what_is_new_and_gone(ask: Ask):
    record = compared(OLDER, DEMO, status=3)
    assert record == compared("-r", OLDER, "-r", DEMO, status=3) == compared(OLDER, f"--read={DEMO}", status=3)
    found = {(one["change"], one["kind"], one["value"]) for one in record["differences"]["listed"]}
    assert {
        ("new", "server_name", "old.example"), ("gone", "server_name", "www.example"), ("new", "version", "TLS 1.2"),
        ("new", "chain_problem", "expired"), ("new", "host", "203.0.113.77"), ("new", "finding", "fatal_alert"),
    } <= found  # fmt: skip
    text = ask("compare", OLDER, DEMO, columns=80).text
    assert max(map(len, text.splitlines())) <= 80
    assert "\n  +  old.example " in text
    assert "\n  -  www.example " in text
    rows = list(csv.DictReader(io.StringIO(ask("compare", OLDER, DEMO, "--format", "csv").text)))
    assert len(rows) == record["differences"]["count"]


def test_counts_are_of_all_that_there_is(ask: Ask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compare_record, "MOST_LISTED", 2)
    record = compared(OLDER, DEMO, status=3)
    counts, differences = record["counts"], record["differences"]
    assert sum(sum(one.values()) for one in counts.values()) == differences["count"] > len(differences["listed"]) == 2
    assert counts["server_name"] == {"new": 6, "gone": 1, "changed": 0}
    text = ask("compare", OLDER, DEMO).text
    assert f"{sum(one['new'] for one in counts.values())} new" in text
    assert "\nServer names  7\n" in text
    assert compared(DEMO, DEMO, status=0)["same_client_random"] == 8
    assert "8 TLS sessions with the same client random" in ask("compare", DEMO, DEMO).text


def test_without_a_clock_it_is_not_known_what_the_other_could_see(ask: Ask):
    record = compared(OLDER, DEMO, "--places", status=0)
    assert (record["clock"], record["only_b"]["covered"], record["only_b"]["expected"]) == (None, None, None)
    assert record["totals"] is None
    text = " ".join(ask("compare", OLDER, DEMO, "--places").text.split())
    assert "only at B 16 connections (unknown whether A was captured then)" in text


def test_new_findings_are_a_gate(ask: Ask):
    record = compared(OLDER, DEMO, "--new-findings", status=3)
    assert {(one["change"], one["kind"]) for one in record["differences"]["listed"]} == {("new", "finding")}
    assert ("fatal_alert", "medium", ["old.example"]) in [
        (one["value"], one["severity"], one["where"]) for one in record["differences"]["listed"]
    ]
    ran = ask("compare", DEMO, OLDER, "--new-findings")
    assert (ran.status, ran.err) == (0, b"")
    assert "no difference" in ran.text


def test_the_same_capture_has_no_difference():
    record = compared(DEMO, DEMO, status=0)
    assert (record["mode"], record["different"], record["clock"]["offset"]) == ("places", False, 0)
    assert compared(DEMO, DEMO, "--times", status=0)["differences"] == {"count": 0, "listed": []}


def test_keys_show_certificates_and_folders_are_captures(tmp_path: Path):
    folder = tmp_path / "monday"
    folder.mkdir()
    source = CAPTURES / "tls13-rsa"
    other = CAPTURES / "alert-unknown-ca" / "alert-unknown-ca.pcapng"
    (folder / "one.pcapng").write_bytes((source / "tls13-rsa.pcapng").read_bytes())
    hidden = compared(folder, other, status=3)
    shown = compared(folder, other, "-k", source / "tls13-rsa.keys", status=3)
    assert shown["a"]["captures"] == [str(folder / "one.pcapng")]
    certificates = [
        sum(one["kind"] == "certificate" and one["change"] == "gone" for one in record["differences"]["listed"])
        for record in (hidden, shown)
    ]
    assert certificates[0] < certificates[1]


def test_one_capture_may_come_through_a_pipe(run: Run):
    ran = run("compare", DEMO, "-", "--format", "json", stdin=DEMO.read_bytes())
    assert (ran.status, json.loads(ran.out)["b"]["captures"]) == (0, ["-"])
    assert "only once" in run("compare", "-", "-", stdin=DEMO.read_bytes()).complaint


def test_the_output_is_none_of_the_captures(ask: Ask, tmp_path: Path):
    capture = tmp_path / "monday" / "one.json"
    capture.parent.mkdir()
    capture.write_bytes(OLDER.read_bytes())
    ran = ask("compare", capture.parent, DEMO, "-o", capture)
    assert (ran.status, capture.read_bytes()) == (2, OLDER.read_bytes())


def test_a_part_of_both():
    record = compared(DEMO, DEMO, "--host", "old.example", status=0)
    assert (record["a"]["sessions"], record["connections"]["count"]) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((DEMO,), "required: B"),
        ((DEMO, DEMO, DEMO), "unrecognized"),
        ((DEMO, "/missing.pcap"), "No such file"),
        ((DEMO, DEMO, "--times", "--places"), "not allowed"),
        ((DEMO, DEMO, "-k", "-"), "save them to a file first"),
        ((DEMO, CAPTURES / "README.md"), "README.md"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(ask: Ask, arguments: tuple[object, ...], words: str):
    ran = ask("compare", *arguments)
    assert (ran.status, ran.out) == (2, b"")
    assert words in ran.complaint


def test_a_damaged_capture_is_compared_as_far_as_it_goes(ask: Ask, tmp_path: Path):
    damaged = tmp_path / "cut.pcapng"
    damaged.write_bytes(DEMO.read_bytes()[:-50])
    ran = ask("compare", DEMO, damaged)
    assert ran.status == 1
    assert "cut.pcapng" in ran.complaint
    assert "excluded for" in ran.text


def test_text_of_a_capture_is_harmless(ask: Ask, tmp_path: Path):
    hostile = tmp_path / "x\x1b[31m.pcapng"
    hostile.write_bytes(OLDER.read_bytes())
    ran = ask("compare", hostile, DEMO)
    assert b"\x1b" not in ran.out
