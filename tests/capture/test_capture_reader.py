"""Reads files, pipes and compressed captures with one reader, complete and damaged."""

import gzip
import hashlib
import io
import lzma
import os
import subprocess
import sys
import threading
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.capture_writer import PcapngWriter, PcapWriter
from analyzer.capture.source import Source
from analyzer.codec.errors import Incomplete, Malformed


def capture(frames: list[bytes], start: int = 1_700_000_000_000_000_000) -> bytes:
    file = io.BytesIO()
    writer = PcapWriter(file, 1)
    for index, data in enumerate(frames):
        writer.write_frame(start + index, data)
    return file.getvalue()


def read_frames(reader: CaptureReader) -> list[tuple[int, bytes]]:
    seen = []
    for packet_reader in reader.packet_readers():
        while packet_reader.advance():
            frame = reader.frame
            seen.append((frame.number, frame.data[frame.start : frame.end]))
    return seen


FRAMES = [b"frame %d" % number * 20 for number in range(3000)]
STORED = {
    None: capture(FRAMES),
    "gzip": gzip.compress(capture(FRAMES)),
    "zstd": zstandard.ZstdCompressor().compress(capture(FRAMES)),
    "lz4": bytes(lz4.frame.compress(capture(FRAMES))),
    "xz": lzma.compress(capture(FRAMES)),
}


@pytest.mark.parametrize("compression", list(STORED))
def test_each_compression_is_known_by_content(tmp_path: Path, compression: str | None) -> None:
    path = tmp_path / "some.name"
    path.write_bytes(STORED[compression])
    reader = CaptureReader([str(path)], hashing=True)
    assert [data for _, data in read_frames(reader)] == FRAMES
    (facts,) = reader.files
    assert facts.error is None
    assert (facts.compression, facts.format, facts.frames, facts.link_types.frames) == (
        compression,
        "nanosecond pcap",
        3000,
        {1: 3000},
    )
    assert (facts.size, facts.sha256) == (len(STORED[compression]), hashlib.sha256(STORED[compression]).hexdigest())
    assert (facts.first_time, facts.last_time) == (1_700_000_000_000_000_000, 1_700_000_000_000_002_999)
    assert reader.n_bytes() == facts.size


def test_damage_ends_one_file_and_the_next_is_read(tmp_path: Path) -> None:
    whole = capture(FRAMES)
    contents = {
        "whole": capture([b"a"]),
        "cut": whole[:-3],
        "cut gzip": STORED["gzip"][: len(STORED["gzip"]) // 2],
        "damaged": whole[:24] + whole[24:2024] + b"\xff" * 5000,
        "text": b"this is no capture",
        "empty": b"",
        "last": capture([b"z"]),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    reader = CaptureReader([str(tmp_path / name) for name in contents], hashing=True)
    seen = read_frames(reader)
    assert [number for number, _ in seen] == list(range(1, len(seen) + 1))
    assert seen[-1][1] == b"z"
    found = dict(zip(contents, reader.files, strict=True))
    assert [type(found[name].error) for name in contents] == [
        type(None), Incomplete, Incomplete, Malformed, Malformed, Malformed, type(None),
    ]  # fmt: skip
    assert found["cut"].frames == 2999
    assert found["cut gzip"].error is not None
    assert found["cut gzip"].error.field == "gzip"
    assert 0 < found["cut gzip"].frames < 3000
    assert [name for name in contents if found[name].format is None] == ["text", "empty"]
    assert (found["cut gzip"].first_frame, found["last"].first_frame) == (3001, len(seen))
    assert len(reader.errors()) == 5
    for name, content in contents.items():
        assert found[name].sha256 == hashlib.sha256(content).hexdigest()


def test_facts_of_several_files_are_gathered(tmp_path: Path) -> None:
    paths = []
    for index in range(2):
        path = tmp_path / f"{index}.pcapng"
        with path.open("wb") as file:
            writer = PcapngWriter(file, comment=f"file {index}")
            writer.write_interface(1, 96, "eth0")
            writer.write_secrets(b"secrets %d\n" % index)
            writer.write_frame(5 + index, b"data", 60, comment="cut")
        paths.append(str(path))
    reader = CaptureReader(paths)
    read_frames(reader)
    assert [facts.comments for facts in reader.files] == [((0, "file 0"), (1, "cut")), ((0, "file 1"), (2, "cut"))]
    assert [facts.interfaces[0].number for facts in reader.files] == [0, 1]
    assert [facts.truncated_frames for facts in reader.files] == [1, 1]
    assert reader.secrets == [(0x544C534B, b"secrets 0\n"), (0x544C534B, b"secrets 1\n")]
    assert "secrets 0" not in repr(reader)


def test_a_file_that_cannot_be_opened_is_an_os_error_before_anything_is_read(tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.write_bytes(capture([b"a"]))
    assert CaptureReader([str(good)]).check() == good.stat().st_size
    with pytest.raises(FileNotFoundError, match="missing"):
        CaptureReader([str(good), str(tmp_path / "missing")]).check()
    with pytest.raises(IsADirectoryError):
        CaptureReader([str(tmp_path)]).check()
    with pytest.raises(FileNotFoundError):
        read_frames(CaptureReader([str(tmp_path / "missing")]))


def test_a_pipe_still_being_written_gives_what_is_available(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = capture([b"first", b"second"])
    heard = threading.Event()

    def write() -> None:
        with pipe.open("wb", buffering=0) as file:
            file.write(data[:10])
            file.write(data[10 : 24 + 21])
            assert heard.wait(60), "the first frame was not delivered before the second was written"
            file.write(data[24 + 21 :])

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    reader = CaptureReader([str(pipe)])
    assert reader.check() is None
    for packet_reader in reader.packet_readers():
        while packet_reader.advance():
            seen.append(reader.frame.data[reader.frame.start : reader.frame.end])
            heard.set()
    writer.join()
    assert seen == [b"first", b"second"]
    assert reader.files[0].size == len(data)


def test_standard_input_is_a_capture_too() -> None:
    code = (
        "from analyzer.capture.capture_reader import CaptureReader\n"
        "reader = CaptureReader(['-'], hashing=True)\n"
        "for packets in reader.packet_readers():\n"
        "    while packets.advance(): pass\n"
        "print(reader.frame.number, reader.files[0].compression, reader.files[0].sha256)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], input=STORED["zstd"], capture_output=True, cwd=root, check=True)
    assert done.stdout.decode().split() == ["3000", "zstd", hashlib.sha256(STORED["zstd"]).hexdigest()]


def test_the_hash_is_given_only_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(STORED[None])
    reader = CaptureReader([str(path)])
    read_frames(reader)
    assert reader.files[0].sha256 is None
    with Source(str(path), hashing=True) as source:
        next(source.chunks())
        assert source.digests == {}, "they would be those of a part"
        assert source.total == len(STORED[None])
