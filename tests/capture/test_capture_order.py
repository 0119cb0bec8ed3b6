"""Captures are found in folders, and are read in the order of their times, whatever their names and the given order."""

import gzip
import io
import itertools
import os
from pathlib import Path

import pytest

from analyzer.capture.capture_order import Beginning, EmptyFolderError, beginning_of, captures_of
from analyzer.capture.capture_writer import PcapngWriter, PcapWriter

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def pcap(*times: int) -> bytes:
    file = io.BytesIO()
    writer = PcapWriter(file, 1)
    for at in times:
        writer.write_frame(at, b"frame")
    return file.getvalue()


def pcapng(*times: int) -> bytes:
    file = io.BytesIO()
    writer = PcapngWriter(file)
    writer.write_interface(1)
    writer.write_secrets(b"# a comment\n" * 100_000)  # more than one chunk, before the first frame
    for at in times:
        writer.write_frame(at, b"frame")
    return file.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Captures whose names are in another order than their times."""
    contents = {
        "c": pcap(START),
        "b.pcap.gz": gzip.compress(pcap(START + 1)),
        "z9": pcap(START + 2),
        "z10": pcap(START + 2),
        "a.pcapng": pcapng(START + 3, START - SECOND),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return [str(tmp_path / name) for name in contents]


def test_the_order_of_times_holds_whatever_order_was_given(files: list[str]):
    for given in itertools.permutations(files):
        assert captures_of(given) == files


def test_a_folder_stands_for_its_captures(files: list[str], tmp_path: Path):
    (tmp_path / "notes.txt").write_text("no capture")
    (tmp_path / "keys.log").write_text("CLIENT_RANDOM 00 11\n")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "x.pcap").write_bytes(pcap(START))
    os.mkfifo(tmp_path / "pipe")
    assert captures_of([str(tmp_path)]) == files
    assert captures_of([f"{tmp_path}/"]) == files
    assert captures_of([str(tmp_path / "inside"), str(tmp_path)]) == [files[0], str(tmp_path / "inside" / "x.pcap"), *files[1:]]


def test_a_capture_in_a_format_that_is_not_read_is_not_left_out(tmp_path: Path):
    (tmp_path / "a.pcap").write_bytes(pcap(START))
    (tmp_path / "b.snoop").write_bytes(b"snoop\0\0\0" + bytes(100))
    assert captures_of([str(tmp_path)]) == [str(tmp_path / "a.pcap"), str(tmp_path / "b.snoop")]


def test_a_folder_without_captures_is_named(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("no capture")
    with pytest.raises(EmptyFolderError, match="no capture is in this folder") as raised:
        captures_of([str(tmp_path)])
    assert raised.value.path == str(tmp_path)


def test_what_has_no_time_keeps_its_place(files: list[str], tmp_path: Path):
    bad, pipe = tmp_path / "text", tmp_path / "pipe"
    bad.write_text("no capture")
    os.mkfifo(pipe)
    given = [files[2], "-", files[0], str(bad), str(tmp_path / "missing"), files[1], str(pipe)]
    assert captures_of(given) == [files[0], "-", files[1], str(bad), str(tmp_path / "missing"), files[2], str(pipe)]


def test_one_capture_is_not_looked_at(tmp_path: Path):
    assert captures_of([str(tmp_path / "missing")]) == [str(tmp_path / "missing")]
    assert captures_of(["-"]) == ["-"]
    assert captures_of([]) == []


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (pcap(START), Beginning(True, START)),
        (pcap(), Beginning(True, None)),
        (pcap(START)[:30], Beginning(True, None)),
        (pcapng(START + 3, START), Beginning(True, START + 3)),
        (gzip.compress(pcap(START), mtime=0)[:-9], Beginning(True, START)),
        (gzip.compress(b"no capture", mtime=0), Beginning(False, None)),
        (b"", Beginning(False, None)),
        (b"\0" * 100, Beginning(False, None)),
        (b"GMBU" + bytes(100), Beginning(True, None)),
        (b"PK\3\4" + bytes(100), Beginning(False, None)),
    ],
)
def test_the_beginning_says_what_a_file_is(content: bytes, found: Beginning, tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert beginning_of(str(path)) == found


def test_the_search_for_a_time_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analyzer.capture.capture_order.LOOKED_AT", 1000)
    path = tmp_path / "file"
    path.write_bytes(pcapng(START))
    assert beginning_of(str(path)) == Beginning(True, None)
