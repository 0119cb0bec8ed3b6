"""packets --columns, -T text|tabs|psml, and the colours of rows with their legend."""

import csv
import io
import json
import socket
import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest
from frames_by_hand import START, ip, write

from analyzer.cli.exit_status import FAILED
from analyzer.cli.output import CommandError
from analyzer.cli.packet_columns import names_of_columns

from .conftest import Run


def test_names_have_commas_between_them():
    text = "no.,Source,dst,max(tcp.port, udp.port),ip.src in {192.0.2.1, 192.0.2.2},tcp.stream"
    assert names_of_columns(text) == [
        "number", "source", "destination", "max(tcp.port, udp.port)", "ip.src in {192.0.2.1, 192.0.2.2}", "tcp.stream",
    ]  # fmt: skip
    with pytest.raises(CommandError, match="--columns"):
        names_of_columns(" ")


def test_text_has_these_columns(run: Run, demo):
    head, first, *_ = run("packets", demo, "-Y", "dns", "--columns", "number,time,dns.qry.name,ip.addr").text.splitlines()
    assert head.split() == ["no.", "time", "dns.qry.name", "ip.addr"]
    assert first.split() == ["7", "1.000000", "www.shop.example", "192.0.2.10,192.0.2.53"]


def test_csv_and_json_have_them_too(run: Run, demo):
    words = ["packets", demo, "-Y", "dns", "--columns", "number,time,length,info,dns.qry.name"]
    table = list(csv.DictReader(io.StringIO(run(*words, "--format", "csv").text, newline="")))
    assert table[0]["dns.qry.name"] == "www.shop.example"
    row = json.loads(run(*words, "--json").text.splitlines()[0])
    assert row == {
        "number": 7,
        "time": "2026-11-02T09:00:01.000000000Z",
        "length": 76,
        "info": "Standard query 0x319b A www.shop.example",
        "dns.qry.name": ["www.shop.example"],
    }


@pytest.mark.parametrize("columns", [80, 120])
def test_a_table_fits_the_window(run: Run, demo, columns):
    lines = run("packets", demo, "--columns", "time,source,destination,info,tcp.stream", columns=columns).text.splitlines()
    assert max(map(len, lines)) <= columns


def test_an_unknown_column_is_refused(run: Run, demo):
    found = run("packets", demo, "--columns", "time,tcp.prot")
    assert (found.status, found.out) == (FAILED, b"")
    assert b"tcp.port" in found.err


def test_t_text_is_the_list_of_tshark(run: Run, demo):
    found = run("-r", demo, "-T", "text", "-c", 5).text.splitlines()
    assert found[-1] == "    5 0.500000000   192.0.2.10 → 203.0.113.123 NTP 90 65208 → 123 Len=48"


def test_t_tabs_has_tabs_between_the_columns(run: Run, demo):
    found = run("-r", demo, "-T", "tabs", "-c", 5).text.splitlines()
    assert found[-1] == "    5\t0.500000000\t  192.0.2.10\t→\t203.0.113.123\tNTP\t90\t65208 → 123 Len=48"


def test_t_psml_is_a_document_with_a_section_for_each_column(run: Run, demo):
    document = ElementTree.fromstring(run("-r", demo, "-T", "psml", "-c", 24).out)
    titles, *packets = ([section.text for section in part] for part in document)
    assert titles == ["No.", "Time", "Source", "Destination", "Protocol", "Length", "Info"]
    assert [packet[0] for packet in packets] == [str(number) for number in range(1, 25)]
    assert packets[4] == ["5", "0.500000000", "192.0.2.10", "203.0.113.123", "NTP", "90", "65208 → 123 Len=48"]
    assert ElementTree.fromstring(run("-r", demo, "-T", "psml", "-Y", "frame.number > 9999").out)[1:] == []


def test_psml_escapes_what_a_capture_says(run: Run, tmp_path: Path):
    asked = b"\0\1\1\0\0\1\0\0\0\0\0\0" + b"\x07<a&b>\x1b\x01" + b"\0\0\1\0\1"
    datagram = struct.pack(">HHHH", 50000, 53, 8 + len(asked), 0) + asked
    frame = ip("192.0.2.1", "192.0.2.2", socket.IPPROTO_UDP, datagram, 6, 1, 64)
    path = write(tmp_path / "names.pcapng", [(START, frame)])
    text = run("-r", path, "-T", "psml").text
    assert "&lt;a&amp;b&gt;" in text
    assert "\x1b" not in text
    assert ElementTree.fromstring(text)[1][6].text.startswith("Standard query 0x0001 A <a&b>")


def test_rows_have_colours_and_a_legend_if_that_is_asked_for(run: Run, demo):
    plain = run("packets", demo, "-c", 30).text
    assert "\x1b" not in plain
    colored = run("packets", demo, "-c", 30, "--color", "always", "--color-legend").text
    assert "\x1b[38;5;235;48;5;" in colored
    assert "tcp.flags.reset == 1" in colored
    assert "tcp.flags.reset == 1" in run("packets", demo, "-c", 1, "--color-legend").text
    assert b"tcp.flags" not in run("packets", demo, "-c", 1, "--color-legend", "--json").out


def test_t_chooses_the_format_of_the_time(run: Run, demo):
    assert run("-r", demo, "-T", "text", "-t", "e", "-c", 1).text.split()[1] == "1793610000.000000000"
    assert run("-r", demo, "-t", "ad", "-c", 1).text.splitlines()[1].split()[1:3] == ["2026-11-02", "09:00:00.000000"]


def test_v_prints_the_tree_of_each_packet(run: Run, demo):
    text = run("-r", demo, "-V", "-Y", "tls.handshake.type == 1 and frame.number < 50").text
    assert text.startswith("Frame 22: 571 bytes")
    assert "Frame 41: 606 bytes" in text


def test_q_prints_nothing_and_says_what_is_wrong(run: Run, demo, tmp_path):
    assert run("-q", "-r", demo).out == b""
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes(demo.read_bytes()[:-10])
    found = run("-q", "-r", cut)
    assert (found.status, found.out) == (1, b"")
    assert "cut.pcapng" in found.complaint


@pytest.mark.parametrize("words", [["-x"], ["-w", "a"], ["-O", "tls"], ["-G"], ["-i", "eth0"], ["--export-objects", "http,a"]])
def test_what_is_something_else_here_is_said(run: Run, demo, words):
    found = run("packets", demo, *words)
    assert found.status == FAILED
    assert found.complaint.startswith(f"analyzer: {words[0]}: ")


def test_a_time_that_was_asked_for_stays_and_what_has_no_room_is_named(run: Run, demo):
    ran = run("packets", demo, "-t", "ad", "-c", 2, columns=80)
    assert "2026-11-02 09:00:00.000500" in ran.text
    assert ran.complaint == "analyzer: the window is too narrow for protocol"
    assert run("packets", demo, "-t", "ad", "-c", 2, columns=120).err == b""


def test_time_stamps_of_segments_have_32_bits(run: Run, tmp_path: Path):
    stamps = b"\1\1\x08\x0a" + struct.pack(">II", 0xFFFFFFFF, 0x80000001)
    segment = struct.pack(">HHIIHHHH", 50000, 443, 1, 1, 0x8010, 100, 0, 0) + stamps
    frame = ip("192.0.2.1", "192.0.2.2", socket.IPPROTO_TCP, segment, 16, 1, 64)
    text = run("packets", write(tmp_path / "stamps.pcapng", [(START, frame)])).text
    assert text.rstrip().endswith("TSval=4294967295 TSecr=2147483649")
