"""Each compression: complete, byte by byte, concatenated, truncated and damaged; and decompression bombs."""

import bz2
import gzip
import lzma
import random
from collections.abc import Callable

import lz4.frame
import pytest
import zstandard

from analyzer.capture.decompress import MAGIC_LENGTH, STEP, compression_of, decompress
from analyzer.codec.errors import Incomplete, Malformed, ParseError

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zstd": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
    "lz4": lambda data: bytes(lz4.frame.compress(data, content_checksum=True, block_checksum=True)),
    "xz": lzma.compress,
    "bzip2": lambda data: bz2.compress(data, 1),
}
EACH = pytest.mark.parametrize("compression", list(COMPRESS))


def sample() -> bytes:
    chance = random.Random(3)
    return b"".join(bytes([chance.randrange(20)]) * chance.randrange(50) for _ in range(12_000))


DATA = sample()


def read(compression: str, stored: bytes, step: int = 1 << 18) -> tuple[bytes, ParseError | None]:
    parts = []
    try:
        for part in decompress(compression, iter([stored[at : at + step] for at in range(0, len(stored), step)])):
            assert 0 < len(part) <= STEP
            parts.append(part)
    except ParseError as error:
        return b"".join(parts), error
    return b"".join(parts), None


@EACH
def test_a_compression_is_detected_by_its_first_bytes(compression: str) -> None:
    assert compression_of(COMPRESS[compression](DATA)[:MAGIC_LENGTH]) == compression


@pytest.mark.parametrize(
    "head", [b"", b"\x1f", b"\xa1\xb2\xc3\xd4\0\2", b"\x0a\x0d\x0d\x0a\0\0", b"PK\3\4\0\0", b"BZh0", b"BZh"]
)
def test_other_bytes_are_not_compressed(head: bytes) -> None:
    assert compression_of(head) is None


@EACH
@pytest.mark.parametrize("step", [1, 100, 1 << 18])
def test_members_follow_each_other_in_chunks_of_any_size(compression: str, step: int) -> None:
    compress = COMPRESS[compression]
    assert read(compression, compress(DATA) + compress(b"") + compress(b"end"), step) == (DATA + b"end", None)


@EACH
def test_zeros_may_pad_the_end_and_nothing_else(compression: str) -> None:
    stored = COMPRESS[compression](DATA)
    assert read(compression, stored + bytes(1000)) == (DATA, None)
    data, error = read(compression, stored + b"something else entirely")
    assert data == DATA
    assert isinstance(error, Malformed)
    assert len(stored) <= error.offset <= len(stored) + 8


@EACH
def test_a_file_truncated_anywhere_is_incomplete_after_its_data(compression: str) -> None:
    stored = COMPRESS[compression](DATA)
    for size in (*range(6, 60), *range(60, len(stored), len(stored) // 20), *range(len(stored) - 20, len(stored))):
        data, error = read(compression, stored[:size])
        assert DATA.startswith(data)
        assert isinstance(error, Incomplete)
        assert error.offset <= size
    assert data == DATA, "only the checksum was cut"


@pytest.mark.parametrize("compression", ["gzip", "zstd", "lz4"])
def test_a_wrong_checksum_comes_after_all_data(compression: str) -> None:
    stored = bytearray(COMPRESS[compression](DATA))
    stored[-5 if compression == "gzip" else -1] ^= 1
    data, error = read(compression, bytes(stored))
    assert data == DATA
    assert isinstance(error, Malformed)


@EACH
def test_damage_in_the_middle_keeps_the_data_before(compression: str) -> None:
    chance = random.Random(5)
    parts = [chance.randbytes(200_000) for _ in range(3)]
    first = COMPRESS[compression](parts[0] + parts[1])
    stored = bytearray(first + COMPRESS[compression](parts[2]))
    stored[len(first) - len(first) // 4 : len(first) - len(first) // 4 + 16] = bytes(16)
    data, error = read(compression, bytes(stored))
    assert error is not None
    assert data[:200_000] == parts[0]
    assert parts[2] not in data


@EACH
def test_a_bomb_comes_in_small_steps(compression: str) -> None:
    n_bytes = 0
    for part in decompress(compression, iter([COMPRESS[compression](bytes(64 << 20))])):
        assert len(part) <= STEP
        n_bytes += len(part)
    assert n_bytes == 64 << 20


def test_a_zstd_window_beyond_the_limit_is_an_error() -> None:
    # A frame header that requests a window of 2 GiB, and one empty last block.
    stored = b"\x28\xb5\x2f\xfd" + bytes([0x00, 0xA8]) + b"\x01\x00\x00"
    assert isinstance(read("zstd", stored)[1], Malformed)


def test_skippable_frames_are_skipped() -> None:
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"notes"
    for compression in ("zstd", "lz4"):
        stored = COMPRESS[compression](DATA)
        assert read(compression, skippable + stored + skippable + stored) == (DATA + DATA, None)
    assert compression_of(skippable[:MAGIC_LENGTH]) == "zstd"


@EACH
def test_mutations_raise_only_parse_errors(compression: str) -> None:
    chance = random.Random(11)
    stored = COMPRESS[compression](DATA[:20_000])
    for _ in range(300):
        data = bytearray(stored)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(chance.choice((16, len(data))))] = chance.randrange(256)
        read(compression, bytes(data))
