"""`analyzer stats`: what it counts, in every form."""

import csv
import io
import json
import re
import struct
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from strict_schema import strict

from analyzer.cli.main import main
from analyzer.cli.stats_arguments import WHATS
from analyzer.store.output_schemas import SCHEMAS

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


def record(ran: Ran) -> dict[str, Any]:
    assert (ran.status, ran.err) == (0, b"")
    found: dict[str, Any] = json.loads(ran.out)
    return found


def rows(ran: Ran) -> list[dict[str, str]]:
    assert (ran.status, ran.err) == (0, b"")
    return list(csv.DictReader(io.StringIO(ran.text)))


@pytest.mark.parametrize("what", WHATS)
def test_every_form_of_everything(ask: Run, demo: Path, what: str, tmp_path: Path):
    files = [tmp_path / f"out.{ending}" for ending in ("json", "csv", "svg", "txt")]
    ran = ask("stats", demo, what, *(word for file in files for word in ("-o", file)))
    assert (ran.status, ran.out, ran.err) == (0, b"", b"")
    found = json.loads(files[0].read_bytes())
    jsonschema.Draft202012Validator(strict(SCHEMAS["stats"])).validate(found)
    assert [key for key in WHATS if found[key] is not None] == [what]
    assert len(list(csv.reader(files[1].open()))) > 2
    drawn = ElementTree.fromstring(files[2].read_text())
    assert drawn.tag.endswith("}svg")
    assert len(list(drawn.iter())) > 10
    assert not re.search(r"<script|href|url\(|<image|<style", files[2].read_text())
    assert len(files[3].read_text().splitlines()) > 3


@pytest.mark.parametrize("what", WHATS)
@pytest.mark.parametrize("columns", [80, 120])
def test_text_fits_the_window(ask: Run, demo: Path, what: str, columns: int):
    ran = (
        ask("stats", demo, what, "--column", "tls", columns=columns)
        if what == "io"
        else ask("stats", demo, what, columns=columns)
    )
    assert (ran.status, ran.err) == (0, b"")
    assert max(map(len, ran.text.splitlines())) <= columns


def test_the_hierarchy_of_protocols(ask: Run, demo: Path):
    found = record(ask("stats", demo, "protocols", "--json"))
    assert (found["packets"], found["bytes"]) == (213, 49307)
    paths = {one["path"]: one["packets"] for one in found["protocols"]}
    assert paths["Ethernet/IPv4/TCP/TLS"] == 62
    assert paths["Ethernet/ARP"] == 4
    assert found["protocols"][0]["byte_share"] == 1.0
    chosen = record(ask("stats", demo, "protocols", "--json", "-Y", "udp"))
    assert [one["protocol"] for one in chosen["protocols"][:3]] == ["Ethernet", "IPv4", "UDP"]
    assert chosen["packets"] == 14
    assert chosen["part"]["filter"] == "udp"


def test_conversations_with_a_filter_of_headers_and_one_of_more(ask: Run, demo: Path):
    found = record(ask("stats", demo, "conversations", "--json", "-Y", "tcp.port == 80"))
    (one,) = found["conversations"]["tcp"]["conversations"]
    assert (one["packets_sent"], one["packets_answered"], one["bytes"]) == (6, 4, 782)
    assert (one["start_seconds"], round(one["duration_seconds"], 4)) == (1.05, 0.0733)
    deeper = record(
        ask("stats", demo, "conversations", "--json", "-Y", 'tls.handshake.extensions_server_name == "legacy.example"')
    )
    assert [one["packets"] for one in deeper["conversations"]["tcp"]["conversations"]] == [1]


def test_endpoints_by_host_and_time(ask: Run, demo: Path):
    named = record(ask("stats", demo, "endpoints", "--json", "--host", "news.example"))
    assert {one["address"] for one in named["endpoints"]["ipv4"]["endpoints"]} == {"192.0.2.10", "203.0.113.30"}
    timed = record(ask("stats", demo, "endpoints", "--json", "--since", "2026-11-02T09:00:20Z"))
    assert timed["packets"] == 32


def test_endpoints_as_csv(ask: Run, demo: Path):
    found = rows(ask("stats", demo, "endpoints", "--format", "csv"))
    (one,) = (row for row in found if row["address"] == "198.51.100.20" and row["kind"] == "ipv4")
    assert (one["packets"], one["packets_sent"], one["port"]) == ("77", "40", "")


def test_intervals_are_found_or_given(ask: Run, demo: Path):
    io_of = record(ask("stats", demo, "io", "--json"))["io"]
    assert io_of["interval_seconds"] == 0.5
    assert len(io_of["intervals"]) == 57
    assert sum(one["packets"] for one in io_of["intervals"]) == 213
    given = record(ask("stats", demo, "io", "--interval", "10s", "--column", "tcp", "--column", "dns", "--json"))["io"]
    assert [one["packets"] for one in given["intervals"]] == [135, 46, 32]
    assert [[count["packets"] for count in one["counts"]] for one in given["intervals"]] == [[123, 6], [42, 4], [24, 2]]
    assert given["filters"] == ["tcp", "dns"]


def test_several_captures_are_one(ask: Run, demo: Path, captures: Path):
    found = record(ask("stats", demo, captures / "vlan" / "vlan.pcap", "io", "--json"))
    assert found["packets"] == 235


def test_what_tls_agreed_on_and_how_long_it_took(ask: Run, demo: Path):
    tls = record(ask("stats", demo, "tls", "--json"))["tls"]
    assert (tls["sessions"], tls["established"], tls["not_established"]) == (8, 6, 2)
    assert {one["value"]: one["count"] for one in tls["versions"]["top"]} == {"TLS 1.3": 4, "TLS 1.2": 3}
    assert {one["value"] for one in tls["causes"]["top"]} == {"no_common_cipher_suite", "certificate_expired"}
    spread = tls["durations"]["handshake"]
    assert spread["count"] == 6
    assert spread["least"] <= spread["p50"] <= spread["p99"] <= spread["most"] < 0.05
    assert sum(spread["histogram"]) == 6


def test_http_decrypted_and_plain(ask: Run, demo: Path):
    http = record(ask("stats", demo, "http", "--json"))["http"]
    assert (http["exchanges"], http["encrypted"]) == (10, 9)
    assert {one["value"]: one["count"] for one in http["statuses"]["top"]} == {"200": 8, "301": 1, "303": 1}
    assert http["types"]["top"][0] == {"value": "application/json", "count": 4, "bytes": 2093}
    assert http["response_seconds"]["count"] == 10
    assert http["response_sizes"]["most"] == 14306.0


def test_processes_count_the_same(ask: Run, demo: Path):
    for what in ("tls", "http"):
        assert ask("stats", demo, what, "--json", "-j", "2").out == ask("stats", demo, what, "--json", "-j", "1").out


def test_names_of_a_capture_are_harmless(ask: Run, tmp_path: Path):
    hostile = tmp_path / "hostile.pcap"
    hostile.write_bytes(pcap(tcp(client_hello(b'a"><script>\x1b[31m'))))
    for form in ("text", "csv", "svg", "json"):
        ran = ask("stats", hostile, "tls", "--format", form)
        assert ran.status == 0
        assert b"\x1b" not in ran.out
        assert b"<script>" not in (ran.out if form == "svg" else b"")


def test_an_empty_capture_has_nothing(ask: Run, tmp_path: Path):
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(pcap())
    for what in WHATS:
        for form in ("text", "json", "csv", "svg"):
            assert ask("stats", empty, what, "--format", form).status == 0
    assert "no packet has a time" in ask("stats", empty, "io").text


def test_words_in_any_order(ask: Run, demo: Path):
    first = ask("stats", demo, "io")
    assert first.out == ask("stats", "io", demo).out == ask(demo, "stats", "io").out == ask("stats", "io", "-r", demo).out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("tls", "--interval", "5"), "--interval and --column are for stats io"),
        (("io", "--interval", "0"), "no length of time"),
        (("io", "--interval", "5 parsecs"), "no length of time"),
        (("io", "--column", "tcp.prot == 1"), "filter, character 1"),
        (("io", "--column", "ip.src == ${ip.src}"), "a reference"),
        (("nothing",), "invalid choice"),
        ((), "WHAT"),
    ],
)
def test_what_cannot_be_is_one_line(ask: Run, demo: Path, words: tuple[str, ...], message: str):
    ran = ask("stats", demo, *words)
    assert (ran.status, ran.out) == (2, b"")
    assert message in ran.err.decode().splitlines()[0]


def test_damage_is_said_and_the_rest_counted(ask: Run, demo: Path, tmp_path: Path):
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes(demo.read_bytes()[:-100])
    ran = ask("stats", cut, "conversations")
    assert ran.status == 1
    assert "TCP conversations" in ran.text
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize("form", ["text", "json", "csv", "svg"])
def test_an_interval_that_would_begin_before_1970(run: Run, tmp_path: Path, form: str):
    """The first frame is of 2026, and the next one of the sixth second of 1970: intervals are counted from the first."""
    path = tmp_path / "back.pcap"
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    path.write_bytes(head + b"".join(struct.pack("<IIII", at, 0, 14, 14) + bytes(14) for at in (1_790_000_000, 6)))
    ran = run("stats", path, "io", "--format", form)
    assert ran.status == 0
    if form == "json":
        assert json.loads(ran.out)["io"]["intervals"][0]["start"] == "1970-01-01T00:00:00.000000000Z"


def test_the_picture_indents_protocols_without_marks(ask: Run, demo: Path):
    drawn = ask("stats", demo, "protocols", "--format", "svg").text
    assert ">IPv4<" in drawn
    assert "2003" not in drawn
    assert "\N{EM SPACE}" not in drawn


def test_sessions_are_told_apart_by_their_protocol(ask: Run, demo: Path):
    quic = demo.parent / "quic-http3" / "quic-http3.pcapng"
    dtls = demo.parent / "dtls12-psk" / "dtls12-psk.pcapng"
    found = json.loads(ask("stats", quic, dtls, "tls", "--format", "json").out)["tls"]
    assert found["protocols"]["top"] == [{"value": "dtls", "count": 1}, {"value": "quic", "count": 1}]
