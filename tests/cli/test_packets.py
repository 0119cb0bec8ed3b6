import csv
import io
import json
import re
from pathlib import Path

import pytest

from analyzer.cli.table import width

from .conftest import Run


@pytest.fixture(scope="module")
def rows(run: Run, demo: Path) -> list[dict]:
    return [json.loads(line) for line in run("packets", demo, "--format", "json").out.splitlines()]


def test_every_packet_has_a_row(rows: list[dict]):
    assert [row["number"] for row in rows] == list(range(1, 214))


# The output of tshark 4.0 for the same frames, except the server name, which later versions add.
@pytest.mark.parametrize(
    ("number", "protocol", "length", "info"),
    [
        (1, "ARP", 42, "Who has 192.0.2.1? Tell 192.0.2.10"),
        (2, "ARP", 42, "192.0.2.1 is at 00:00:5e:00:53:01"),
        (7, "DNS", 76, "Standard query 0x319b A www.shop.example"),
        (9, "TCP", 66, "49202 → 80 [SYN] Seq=0 Win=64240 Len=0 MSS=1460 WS=128 SACK_PERM"),
        (10, "TCP", 66, "80 → 49202 [SYN, ACK] Seq=0 Ack=1 Win=64240 Len=0 MSS=1460 WS=128 SACK_PERM"),
        (11, "TCP", 54, "49202 → 80 [ACK] Seq=1 Ack=1 Win=64256 Len=0"),
        (18, "TCP", 54, "49202 → 80 [ACK] Seq=88 Ack=134 Win=64256 Len=0"),
        (22, "TLS", 571, "Client Hello (SNI=www.shop.example)"),
        (26, "TLSv1.3", 134, "Change Cipher Spec, Finished"),
        (212, "ICMP", 98, "Echo (ping) request  id=0x04d2, seq=3/768, ttl=64"),
    ],
)
def test_the_text_is_that_of_wireshark(rows: list[dict], number: int, protocol: str, length: int, info: str):
    row = rows[number - 1]
    assert (row["protocol"], row["length"], row["info"]) == (protocol, length, info)


def test_addresses_are_of_ip_or_else_of_ethernet(rows: list[dict]):
    assert (rows[0]["source"], rows[0]["destination"]) == ("00:00:5e:00:53:0a", "Broadcast")
    assert (rows[8]["source"], rows[8]["destination"]) == ("192.0.2.10", "198.51.100.20")


def test_csv_has_the_same_rows(run: Run, demo: Path, rows: list[dict]):
    table = list(csv.DictReader(io.StringIO(run("packets", demo, "--format", "csv").text, newline="")))
    assert list(table[0]) == [
        "number",
        "time",
        "source",
        "destination",
        "protocol",
        "length",
        "info",
        "capture",
        "frame_in_capture",
    ]
    assert [row["info"] for row in table] == [row["info"] for row in rows]


@pytest.mark.parametrize("columns", [80, 120])
def test_text_fits_the_window(run: Run, demo: Path, columns: int):
    lines = run("packets", demo, columns=columns).text.splitlines()
    assert len(lines) == 214
    assert max(map(width, lines)) <= columns


def test_times_count_from_the_first_packet(run: Run, demo: Path):
    _, first, second, *_ = run("packets", demo).text.splitlines()
    assert first.split()[1] == "0.000000"
    assert second.split()[1] == "0.000500"


@pytest.mark.parametrize(("columns", "complete"), [(80, True), (72, True), (50, False)])
def test_a_narrow_window_has_time_and_length(run: Run, demo: Path, columns: int, complete: bool):
    head, *rows = run("packets", demo, columns=columns).text.splitlines()
    assert (head.split() == ["no.", "time", "source", "destination", "protocol", "length", "info"]) is complete
    if complete:
        assert re.fullmatch(r" 22 +1\.236840 +192\.0\.2\.10 +198\.51\.100\.20 +TLS +571 +Client He.*…", rows[21])
        assert rows[0].split()[2:4] == ["00:00:5…0:53:0a", "Broadcast"]


def test_addresses_keep_both_ends_in_a_narrow_window(run: Run, captures: Path):
    rows = run("packets", captures / "ipv6" / "ipv6.pcapng", columns=80).text.splitlines()
    assert rows[1].split()[2:4] == ["2001:db8:10::10", "2001:db…20::443"]
