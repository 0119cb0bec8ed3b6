"""Finds secrets before the first frame is read, anywhere in the file and in all forms of files."""

import gzip
import lzma
import os
import struct
from pathlib import Path

import pytest
import zstandard

from analyzer.capture.key_prescan import LARGEST_COMPRESSED, prescan_keys

CHUNK = 1 << 17
TLS, SSH = 0x544C534B, 0x5353484B


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(f"{order}I", 12 + len(body))
    return struct.pack(f"{order}I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order) + block(
        1, struct.pack(f"{order}HHI", 1, 0, 0), order
    )


def packet(size: int = 60, order: str = "<") -> bytes:
    return block(6, struct.pack(f"{order}IIIII", 0, 0, 0, size, size) + bytes(size), order)


def secrets(data: bytes, kind: int = TLS, order: str = "<") -> bytes:
    return block(10, struct.pack(f"{order}II", kind, len(data)) + data, order)


def write(path: Path, *parts: bytes) -> str:
    path.write_bytes(b"".join(parts))
    return str(path)


@pytest.mark.parametrize("order", ["<", ">"])
def test_secrets_may_be_before_between_and_after_packets(tmp_path: Path, order: str):
    parts = (
        section(order),
        secrets(b"first", order=order),
        packet(order=order),
        secrets(b"second", SSH, order),
        packet(1500, order),
        secrets(b"third", order=order),
    )
    assert prescan_keys(write(tmp_path / "c", *parts)) == [(TLS, b"first"), (SSH, b"second"), (TLS, b"third")]


def test_sections_may_have_either_byte_order(tmp_path: Path):
    path = write(tmp_path / "c", section("<"), secrets(b"a"), section(">"), packet(order=">"), secrets(b"b", order=">"))
    assert [data for _, data in prescan_keys(path)] == [b"a", b"b"]


def test_block_headers_may_cross_the_edge_of_a_chunk(tmp_path: Path):
    for size in range(CHUNK - 200, CHUNK + 20, 4):
        path = write(tmp_path / "c", section(), packet(size), secrets(b"late" * 50), packet(), secrets(b"last"))
        assert [data for _, data in prescan_keys(path)] == [b"late" * 50, b"last"]


@pytest.mark.parametrize("squeeze", [gzip.compress, lzma.compress, zstandard.ZstdCompressor().compress])
def test_small_compressed_files_are_scanned(tmp_path: Path, squeeze):
    path = write(tmp_path / "c", squeeze(b"".join((section(), packet(), secrets(b"late")))))
    assert prescan_keys(path) == [(TLS, b"late")]


def test_large_compressed_files_are_not_scanned(tmp_path: Path):
    path = tmp_path / "c"
    path.write_bytes(gzip.compress(section() + secrets(b"late")))
    os.truncate(path, LARGEST_COMPRESSED)
    assert prescan_keys(str(path)) == [(TLS, b"late")]
    os.truncate(path, LARGEST_COMPRESSED + 1)
    assert prescan_keys(str(path)) == []


def test_damage_ends_the_scan(tmp_path: Path):
    good = section() + secrets(b"kept")
    too_short, too_long = struct.pack("<II", 6, 5) + bytes(30), struct.pack("<III", 6, 1 << 31, 0)
    for bad in (too_short, too_long, b"\x0a\x0d\x0d\x0a" + bytes(24), bytes(5)):
        assert prescan_keys(write(tmp_path / "c", good, bad, secrets(b"behind"))) == [(TLS, b"kept")]
    assert prescan_keys(write(tmp_path / "c", good, secrets(b"cut")[:-6])) == [(TLS, b"kept")]
    lying = struct.pack("<IIII", 10, 24, TLS, 1000) + bytes(4) + struct.pack("<I", 24)
    assert prescan_keys(write(tmp_path / "c", good, lying, secrets(b"next"))) == [(TLS, b"kept"), (TLS, b"next")]


def test_other_files_have_no_secrets(tmp_path: Path, captures_folder: Path):
    assert prescan_keys(write(tmp_path / "c", b"")) == []
    assert prescan_keys(write(tmp_path / "c", b"abc")) == []
    assert prescan_keys(str(captures_folder / "vlan" / "vlan.pcap")) == []
    assert prescan_keys("-") == []
    assert prescan_keys("/dev/null") == []


@pytest.fixture
def captures_folder(repository: Path) -> Path:
    return repository / "captures"


def test_real_captures(captures_folder: Path):
    ((kind, data),) = prescan_keys(str(captures_folder / "demo.pcapng"))
    assert kind == TLS
    assert data.decode() == (captures_folder / "demo" / "demo.keys").read_text()


def test_a_block_for_each_of_very_many_sessions(tmp_path: Path):
    n_blocks = 70_000
    found = prescan_keys(write(tmp_path / "c", section(), secrets(b"one") * n_blocks, secrets(b"last")))
    assert len(found) == n_blocks + 1
    assert found[-1] == (TLS, b"last")
    found = prescan_keys(write(tmp_path / "c", section(), secrets(b"s" * (1 << 20)) * 70))
    assert 60 < len(found) < 64
