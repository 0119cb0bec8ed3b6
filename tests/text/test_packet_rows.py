import json

import pytest

from analyzer.capture.frame import Frame
from analyzer.capture.frame_places import FramePlaces
from analyzer.store.output_schemas import PACKET
from analyzer.store.packet_info import packet_record
from analyzer.store.session_record import json_line
from analyzer.text.escape import csv_row
from analyzer.text.packet_rows import PacketRows

AT = 1_772_442_000_123_456_789
LAYOUT = [(0, 3, True), (1, 9, True), (2, 10, False), (6, 8, False)]

WORDS = [
    ("192.0.2.1", "198.51.100.2", "TCP", "443 → 50000 [PSH, ACK] Seq=1 Ack=2 Win=3 Len=4"),
    ("", "", "unknown", "0 bytes"),
    ("fe80::1", "Broadcast", "TLSv1.3", 'Client Hello (SNI=a"b;c)'),
    ("192.0.2.1", "192.0.2.2", "DNS", "Standard query 0x1234 A =cmd|'/c calc'!A0"),
    ("192.0.2.1", "192.0.2.2", "DNS", "=1+1"),
    ("192.0.2.1", "192.0.2.2", "DNS", " x"),
    ("192.0.2.1", "192.0.2.2", "DNS", "x "),
    ("192.0.2.1", "192.0.2.2", "HTTP", "GET /\x1b[31m\u202e中文"),
    ("192.0.2.1", "192.0.2.2", "HTTP", ""),
]


def frame(number: int = 1, at: int = AT) -> Frame:
    found = Frame()
    found.number, found.at, found.wire_length = number, at, 60
    return found


@pytest.fixture(params=["one capture", "two captures", "no capture"])
def places(request: pytest.FixtureRequest) -> FramePlaces:
    known = FramePlaces(several=request.param == "two captures")
    if request.param != "no capture":
        known.begin("a, b\udcff.pcap", 1)
    if request.param == "two captures":
        known.begin("c.pcap", 2)
    return known


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("at", [AT, -1, 0])
def test_json_and_csv_are_those_of_the_record(places: FramePlaces, words: tuple[str, str, str, str], at: int):
    rows = PacketRows(places)
    for number in (1, 2, 2, 3):
        record = packet_record(frame(number, at), *words, places)
        assert rows.json(frame(number, at), *words) == json_line(record)
        assert rows.csv(frame(number, at), *words) == csv_row(list(record.values())).encode()
        assert list(json.loads(rows.json(frame(number, at), *words))) == list(PACKET["properties"])


@pytest.mark.parametrize(
    ("nanoseconds", "shown"),
    [
        (0, "0.000000"),
        (1_499, "0.000001"),
        (1_500, "0.000002"),
        (999_999_499, "0.999999"),
        (999_999_500, "1.000000"),
        (86_400_000_000_000, "86400.000000"),
        (-1_500_000_000, "-1.500000"),
    ],
)
def test_times_of_text_are_seconds_since_the_start(nanoseconds: int, shown: str):
    cells = PacketRows(FramePlaces()).cells(frame(1, AT + nanoseconds), AT, "a", "b", "TCP", "x")
    assert cells == ["1", shown, "a", "b", "TCP", "60", "x", ""]


def test_a_frame_without_a_time_has_none():
    assert PacketRows(FramePlaces()).cells(frame(1, -1), -1, "a", "b", "TCP", "x")[1] == ""


def test_cells_are_harmless():
    cells = PacketRows(FramePlaces()).cells(frame(), AT, "a", "b", "T\x1bCP", "\x1b]0;x\x07\u202e → \x7f\x9b")
    assert cells[4:7] == ["T\\x1bCP", "60", "\\x1b]0;x\\x07\\u202e → \\x7f\\x9b"]


def test_a_line_has_the_cells_of_the_layout():
    rows = PacketRows(FramePlaces())
    assert rows.line(["1", "0.5", "a → b", "x", "", "60", "z", ""], LAYOUT, "  ") == "  1        0.5  a → b       z\n".encode()
    assert rows.line(["1", "0.5", "a", "x", "", "60", "", ""], LAYOUT, "  ") == b"  1        0.5  a\n"


@pytest.mark.parametrize("cell", ["中", "e\u0301", "\ud800", "\x1b"])
def test_what_may_not_take_one_column_is_left_to_the_table(cell: str):
    assert PacketRows(FramePlaces()).line(["1", "0.5", cell, "x", "", "60", "z", ""], LAYOUT, "  ") == b""
