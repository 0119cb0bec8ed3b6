"""Text from packets must not control the terminal or the spreadsheet of the reader, and must not deceive the eye."""

import csv
import io
import json
import struct
import unicodedata
from pathlib import Path

import pytest

from .conftest import Run, client_hello, pcap, tcp

NAMES = [
    b"\x1b]0;owned\x07\x1b[2Jwww.example",
    "moc.live\u202e\u200b\u2028www".encode(),
    b'=HYPERLINK("http://evil","a")',
    b"+1-2\r\n@x\0\x7f\xff\xfe",
    b"[bold red]not markup[/]",
    b"\xc2\x9b31m",
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture in which all text is hostile, including the name of the file."""
    folder = tmp_path_factory.mktemp("hostile")
    path = folder / "a\x1b[31m\u202e.pcap"
    path.write_bytes(pcap(*(tcp(client_hello(name, name[:200]), 40000 + at) for at, name in enumerate(NAMES))))
    return path


@pytest.fixture(scope="module")
def hostile_pcapng(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture whose comments, interface and program names are hostile."""
    evil = b"\x1b[31m\n\xe2\x80\xae=1\x9b"
    option = lambda code: struct.pack("<HH", code, len(evil)) + evil + bytes(-len(evil) % 4)  # noqa: E731
    section = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + option(1) + option(3) + option(4)
    interface = struct.pack("<HHI", 1, 0, 100) + option(2) + option(3) + option(11)[:4] + evil + bytes(-len(evil) % 4)
    frame = tcp(b"hello")
    packet = struct.pack("<IIIII", 0, 0, 1, len(frame), len(frame)) + frame + bytes(-len(frame) % 4) + option(1)
    blocks = b"".join(
        struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
        for kind, body in ((0x0A0D0D0A, section), (1, interface), (6, packet))
    )
    path = tmp_path_factory.mktemp("hostile") / "hostile.pcapng"
    path.write_bytes(blocks)
    return path


def assert_harmless(text: str) -> None:
    for line in text.split("\n"):
        bad = [one for one in line if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp", "Cs")]
        assert not bad, line


@pytest.mark.parametrize(
    "command",
    [["summary"], ["sessions"], ["packets"], *(["show", at] for at in range(len(NAMES))), ["packet", 2], ["packet", 4]],
)
@pytest.mark.parametrize("columns", [60, 200])
def test_text_from_packets_is_harmless(run: Run, hostile: Path, command: list[object], columns: int):
    ran = run(command[0], hostile, *command[1:], columns=columns)
    assert ran.status == 0
    assert_harmless(ran.text)


def test_text_from_the_file_itself_is_harmless(run: Run, hostile_pcapng: Path):
    ran = run(hostile_pcapng)
    assert ran.status == 0
    assert "\\x1b[31m" in ran.text
    assert_harmless(ran.text)


def test_names_of_files_are_harmless_in_complaints(run: Run, hostile: Path, tmp_path: Path):
    cut = tmp_path / hostile.name
    cut.write_bytes(hostile.read_bytes()[:-1])
    ran = run("sessions", cut)
    assert ran.status == 1
    assert_harmless(ran.complaint)
    assert_harmless(run("sessions", "--format", "\x1b[31m", cut).complaint)


def test_markup_is_text(run: Run, hostile: Path):
    assert "[bold red]not markup[/]" in run("sessions", hostile).text


@pytest.mark.parametrize("command", ["sessions", "packets"])
def test_csv_has_no_formulas_and_no_controls(run: Run, hostile: Path, command: str):
    ran = run(command, hostile, "--format", "csv")
    assert ran.out.endswith(b"\r\n")
    rows = list(csv.reader(io.StringIO(ran.text, newline="")))
    assert len(rows) == 1 + len(NAMES)
    assert len({len(row) for row in rows}) == 1
    for row in rows[1:]:
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@")), cell
            assert_harmless(cell)


def test_json_has_the_names_unchanged(run: Run, hostile: Path):
    names = [json.loads(line)["server_name"] for line in run("sessions", hostile, "--format", "json").out.splitlines()]
    assert names == [name.decode("utf-8", "backslashreplace") for name in NAMES]
