"""Files that are no pcap and no pcapng: what they are called, and what begins a capture."""

import io
import struct
import tarfile
import zipfile

import pytest

from analyzer.capture.frame import Frame
from analyzer.capture.other_formats import advice, begins_capture
from analyzer.capture.packet_reader import PacketReader
from analyzer.codec.errors import Malformed


def erf(kind: int = 2, length: int = 18, seconds: int = 1_700_000_000) -> bytes:
    return struct.pack("<IIBB", 0, seconds, kind, 4) + struct.pack(">HHH", length, 0, 60) + bytes(length - 16)


def archive(kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w") as packed:
            packed.writestr("a.pcap", b"content")
    else:
        with tarfile.open(fileobj=buffer, mode="w") as packed:
            entry = tarfile.TarInfo("a.pcap")
            entry.size = 7
            packed.addfile(entry, io.BytesIO(b"content"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"snoop\0\0\0" + bytes(8), ("snoop", "editcap")),
        (b"GMBU\0\x02" + bytes(60), ("Network Monitor", "editcap")),
        (b"RTSS\1\1" + bytes(60), ("Network Monitor", "editcap")),
        (b"7z\xbc\xaf\x27\x1c\0\4", ("7z", "7z x")),
        (archive("zip"), ("ZIP", "unzip")),
        (archive("tar"), ("tar", "tar -xf")),
        (erf() * 2, ("ERF", "editcap")),
        (erf(0x90, 1500), ("ERF", "editcap")),
    ],
)
def test_other_files_are_named_with_the_command_that_converts_them(start: bytes, words: tuple[str, str]):
    text = advice(start)
    assert text is not None
    assert all(word in text for word in words)
    reader = PacketReader(Frame())
    reader.feed(start)
    with pytest.raises(Malformed, match=words[0]):
        reader.advance()
    assert reader.format is None


@pytest.mark.parametrize(
    "start", [b"", b"PK", bytes(600), b"\xff" * 600, erf()[:15], erf(0) * 2, erf(2, 17), erf(2, 18, 9) * 2]
)
def test_other_bytes_are_not_named(start: bytes):
    assert advice(start) is None


def test_what_begins_a_capture():
    header = struct.pack("<IHHi", 0xA1B2C3D4, 2, 4, 0)
    assert begins_capture(b"x" + header, 1)
    assert begins_capture(struct.pack(">IHHi", 0xA1B23C4D, 2, 4, 0), 0)
    assert begins_capture(struct.pack("<III", 0x0A0D0D0A, 28, 0x1A2B3C4D), 0)
    assert not begins_capture(header[:11], 0)
    assert not begins_capture(struct.pack("<IHHi", 0xA1B2C3D4, 3, 4, 0), 0)
    assert not begins_capture(struct.pack("<IHHi", 0xA1B2C3D4, 2, 4, 1), 0)
    assert not begins_capture(struct.pack("<III", 0x0A0D0D0A, 28, 0), 0)
    assert not begins_capture(b"", 0)
