"""`--since`, `--until` and `--host`: what is shown is limited, and ids, frames and verdicts stay those of the whole capture."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from frames_by_hand import write
from wire import CLIENT, SERVER, Wire

from .conftest import Run

DAY = "2026-11-02T"
"""The demonstration capture begins at nine o'clock of this day, and takes 28 seconds."""


@pytest.fixture(scope="module")
def whole(run: Run, demo: Path) -> dict[int, dict[str, Any]]:
    return {one["id"]: one for one in map(json.loads, run("sessions", demo, "--format", "json").out.splitlines())}


def lines(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (("--since", f"{DAY}09:00:10Z", "--until", f"{DAY}09:00:20Z"), {4, 5, 6}),
        (("--since", f"{DAY}10:00:10+01:00", "--until", f"{DAY}09:00:20.000Z"), {4, 5, 6}),
        (("--until", f"{DAY}09:00:02.1Z"), {0}),  # the end of the span is not in it
        (("--until", f"{DAY}09:00:02.100000001Z"), {0, 1}),
        (("--since", "2026-11-02", "--until", "2026-11-03"), set(range(8))),
        (("--since", "2026-11-03"), set()),
        (("--host", "www.shop.example"), {0, 1}),
        (("--host", "WWW.SHOP.EXAMPLE.", "--host", "203.0.113.99"), {0, 1, 6}),
        (("--host", "2001:db8:20:0::443"), {7}),
        (("--host", "198.51.100.44", "--since", f"{DAY}09:00:10Z"), {4}),
        (("--host", "shop.example"), set()),
    ],
)
def test_sessions_are_those_of_the_whole(run: Run, demo: Path, whole: dict[int, dict], words: tuple[str, ...], ids: set[int]):
    for jobs, told in (("1", b""), ("3", b"analyzer: -j 3: with --since, --until or --host, one process reads the captures\n")):
        found = run("sessions", demo, "--format", "json", *words, "-j", jobs)
        assert (found.status, found.err.startswith(told)) == (0, True)
        assert {one["id"]: one for one in lines(found.out)} == {number: whole[number] for number in ids}
    rows = list(csv.DictReader(io.StringIO(run("sessions", demo, "--format", "csv", *words).text)))
    assert [int(row["id"]) for row in rows] == sorted(ids)


def test_a_span_beside_the_capture_is_told(run: Run, demo: Path):
    done = run("sessions", demo, "--since", "2026-11-03")
    assert (done.status, done.out) == (0, b"")
    assert done.complaint.endswith(f"the captures go from {DAY}09:00:00.000000000Z to {DAY}09:00:28.011000000Z")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--since", "10:00"), "'10:00' is no time: say it with its zone"),
        (("--since", f"{DAY}10:00:00"), "is no time: say it with its zone"),
        (("--until", "now"), "'now' is no time"),
        (("--since", "2026-13-01"), "is no time"),
        (("--host", "10.0.0.0/8"), "'10.0.0.0/8' is no address and no server name"),
        (("--host", ""), "is no address and no server name"),
        (("--since", "2026-11-02", "--until", "2026-11-02"), "--since is not before --until"),
    ],
)
@pytest.mark.parametrize("command", ["sessions", "summary", "packets", "http", "show"])
def test_bad_values_are_one_sentence(run: Run, demo: Path, command: str, words: tuple[str, ...], why: str):
    done = run(command, demo, *(["0"] if command == "show" else []), *words)
    assert (done.status, done.out) == (2, b"")
    assert why in done.complaint


def test_packets_keep_their_numbers_and_words(run: Run, demo: Path):
    rows = lines(run("packets", demo, "--format", "json").out)
    since, until = f"{DAY}09:00:10Z", f"{DAY}09:00:17.1Z"
    found = lines(run("packets", demo, "--format", "json", "--since", since, "--until", until).out)
    assert found == [row for row in rows if since[:-1] <= row["time"] < until[:-1] + "0"]
    assert len(found) > 20
    text = run("packets", demo, "--since", since, "--until", until).text.splitlines()
    assert text[1].split() in [line.split() for line in run("packets", demo).text.splitlines()]


def test_a_server_name_chooses_all_frames_of_its_connections(run: Run, demo: Path, whole: dict[int, dict]):
    rows = lines(run("packets", demo, "--format", "json").out)
    found = lines(run("packets", demo, "--format", "json", "--host", "legacy.example").out)
    session = whole[6]
    assert [row["number"] for row in found] == list(range(session["first_frame"], session["last_frame"] + 1))
    assert found == [row for row in rows if row in found]
    by_address = lines(run("packets", demo, "--format", "json", "--host", "203.0.113.99").out)
    assert by_address == found


def test_a_name_needs_a_capture_that_can_be_read_twice(run: Run, demo: Path):
    piped = run("packets", "-", "--host", "legacy.example", stdin=demo.read_bytes())
    assert piped.status == 2
    assert "this is read twice: save it to a file first" in piped.complaint
    assert run("sessions", "-", "--host", "legacy.example", stdin=demo.read_bytes()).text.count("legacy.example") == 1
    assert len(run("packets", "-", "--host", "203.0.113.99", stdin=demo.read_bytes()).text.splitlines()) == 11


def test_one_session_or_frame_has_to_be_in_the_part(run: Run, demo: Path):
    news = ("--host", "news.example")
    assert run("show", demo, 2, *news).out == run("show", demo, 2).out
    assert run("follow", demo, 2, *news).out == run("follow", demo, 2).out
    assert run("packet", demo, 100, *news).out == run("packet", demo, 100).out
    for command in ("show", "follow"):
        done = run(command, demo, 3, *news)
        assert (done.status, done.out) == (2, b"")
        assert "session 3 is not in the part that --since, --until, --host and -Y choose" in done.complaint
    assert "frame 3 is not in the part" in run("packet", demo, 3, *news).complaint


def test_data_is_followed_in_its_time_only(run: Run, demo: Path):
    chunks = lines(run("follow", demo, 2, "--format", "json").out)
    middle = chunks[len(chunks) // 2]["time"]
    early = lines(run("follow", demo, 2, "--format", "json", "--until", middle).out)
    late = lines(run("follow", demo, 2, "--format", "json", "--since", middle).out)
    assert [one["frame"] for one in early + late] == [one["frame"] for one in chunks]
    assert early
    assert late


def test_exchanges_are_those_of_the_host_and_time(run: Run, demo: Path):
    rows = lines(run("http", demo, "--format", "json").out)
    news = lines(run("http", demo, "--format", "json", "--host", "news.example").out)
    assert news == [row for row in rows if row["session"] == 2] != []
    since = news[-1]["time"]
    assert lines(run("http", demo, "--format", "json", "--host", "news.example", "--since", since).out) == news[-1:]


def test_certificates_and_keys_are_of_the_part(run: Run, demo: Path):
    found = lines(run("certificates", demo, "--format", "json", "--host", "news.example").out)
    rows = lines(run("certificates", demo, "--format", "json").out)
    assert {one["sha256"] for one in found} == {one["sha256"] for one in rows if 2 in one["sessions"]["server"]} != set()
    assert {number for one in found for number in one["sessions"]["server"]} == {2}
    keys = lines(run("keys", demo, "--format", "json", "--host", "news.example").out)
    assert [one["id"] for one in keys if one["kind"] == "session"] == [2]
    assert keys[-1] == lines(run("keys", demo, "--format", "json").out)[-1]


def test_the_summary_counts_the_part(run: Run, demo: Path):
    words = ("--host", "www.bank.example", "--since", f"{DAY}09:00:10Z")
    found = json.loads(run("summary", demo, "--format", "json", *words).out)
    packets = lines(run("packets", demo, "--format", "json", *words).out)
    assert found["part"] == {"since": f"{DAY}09:00:10.000000000Z", "until": None, "hosts": ["www.bank.example"], "filter": None}
    assert found["packets"] == len(packets) > 0
    assert found["bytes"] == sum(packet["length"] for packet in packets)
    assert found["sessions"]["count"] == 1
    assert found["captures"][0]["frames"] == 213
    assert f"--since {DAY}09:00:10.000000000Z --host www.bank.example" in run("summary", demo, *words).text
    assert json.loads(run("summary", demo, "--format", "json").out)["part"] is None


def test_the_export_has_the_sessions_of_the_part(run: Run, demo: Path, tmp_path: Path):
    assert run("export", demo, "-o", tmp_path / "out", "--host", "news.example").status == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())["files"]
    assert {entry["session"] for entry in manifest} == {2}
    assert run("export", demo, "-o", tmp_path / "a.pcapng", "--host", "news.example", "--only").status == 0
    assert [one["id"] for one in lines(run("sessions", tmp_path / "a.pcapng", "--format", "json").out)] == [0]
    done = run("export", demo, "-o", tmp_path / "none", "--host", "no.example")
    assert done.status == 2
    assert "no session is in the part" in done.complaint
    assert not (tmp_path / "none").exists()


def test_a_report_says_that_it_is_about_a_part(run: Run, demo: Path, tmp_path: Path):
    words = ("--host", "news.example", "--until", "2026-11-03")
    assert run("report", demo, "-o", tmp_path / "r.json", "-o", tmp_path / "r.md", *words).status == 0
    facts = json.loads((tmp_path / "r.json").read_text())
    assert [one["id"] for one in facts["sessions"]["shown"]] == [2]
    assert [one["code"] for one in facts["limits"]][:2] == ["only_until", "only_hosts"]
    assert "as the option --host says: news.example" in (tmp_path / "r.md").read_text().replace("\\", "")


def test_verdicts_are_those_of_the_whole(run: Run, demo: Path, captures: Path):
    words = ("--trust", captures / "demo" / "demo.ca.pem", "--format", "json")
    every = {one["id"]: one for one in lines(run("sessions", demo, *words).out)}
    for one in every.values():
        found = {other["id"]: other for other in lines(run("sessions", demo, *words, "--since", one["start_time"]).out)}
        assert one["id"] in found
        assert all(other == every[number] for number, other in found.items())


def test_a_connection_that_failed_before_tls_has_the_name_that_a_proxy_was_asked_for(run: Run, tmp_path: Path):
    asks = b"CONNECT shop.example:443 HTTP/1.1\r\n\r\n"
    wires = [Wire(3128, 50000 + n).open().say(CLIENT, asks.replace(b"shop", name)) for n, name in enumerate((b"shop", b"bank"))]
    for wire in wires:
        wire.say(SERVER, b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").close(SERVER)
    path = write(tmp_path / "proxy.pcapng", sorted(frame for wire in wires for frame in wire.frames))
    for host, port in (("shop.example", 50000), ("bank.example", 50001)):
        (summary,) = lines(run("summary", path, "--host", host, "--format", "json").out)
        assert [one["client"]["port"] for one in summary["failures"]] == [port]
        rows = list(csv.DictReader(io.StringIO(run("packets", path, "--host", host, "--format", "csv").text)))
        assert len(rows) == len(wires[0].frames)
    (summary,) = lines(run("summary", path, "--host", "198.51.100.20", "--format", "json").out)
    assert len(summary["failures"]) == 2


@pytest.mark.parametrize("jobs", [(), ("-j", 2)])
def test_sessions_by_their_numbers(run: Run, demo: Path, jobs: tuple[object, ...]):
    found = lines(run("sessions", demo, "--session", "0-1,5", "--session", 3, "--format", "json", *jobs).out)
    assert sorted(one["id"] for one in found) == [0, 1, 3, 5]
    whole = lines(run("sessions", demo, "--format", "json").out)
    assert found == [one for one in whole if one["id"] in (0, 1, 3, 5)]
    asked = lines(run("http", demo, "--session", "2-3", "--format", "json", *jobs).out)
    assert {one["session"] for one in asked} == {2, 3}
    sent = lines(run("certificates", demo, "--session", 2, "--format", "json").out)
    assert {one["subject"] for one in sent} >= {"CN=news.example"}
    assert all(one["sessions"] == {"server": [2], "client": []} for one in sent)
    assert lines(run("sessions", demo, "--session", "0-3", "--host", "news.example", "--format", "json").out)[0]["id"] == 2
    assert run("sessions", demo, "--session", "3-1").status == 2
