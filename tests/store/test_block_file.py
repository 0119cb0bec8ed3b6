"""Files of blocks: what is in them at each moment, also without room."""

import errno
import stat
from pathlib import Path

import pytest
from limited import files_up_to

from analyzer.store.block_file import BlockFile


def test_blocks_are_written_when_they_are_flushed(tmp_path: Path):
    path = tmp_path / "blocks"
    file = BlockFile(str(path))
    file.write(b"one")
    assert (path.read_bytes(), file.size, file.n_waiting) == (b"", 3, 3)
    file.flush()
    file.write(b"two")
    assert (path.read_bytes(), file.size, file.n_waiting) == (b"one", 6, 3)
    file.flush()
    file.close()
    assert path.read_bytes() == b"onetwo"


def test_a_file_without_room_ends_with_a_whole_block(tmp_path: Path):
    path = tmp_path / "blocks"
    file = BlockFile(str(path))
    block = bytes(range(256)) * 400
    with files_up_to(350_000):
        for _ in range(5):
            file.write(block)
        with pytest.raises(OSError, match="File too large") as raised:
            file.flush()
    assert raised.value.filename == str(path)
    assert path.read_bytes() == block * 3
    assert file.size == len(block) * 3


def test_a_full_disk_has_whole_blocks(small_disk: Path):
    """It takes a part of the last write before it is full."""
    path = small_disk / "blocks"
    file = BlockFile(str(path))
    block = bytes(range(250)) * 4
    for _ in range(500):
        file.write(block)
    with pytest.raises(OSError, match="No space left on device") as raised:
        file.flush()
    assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, str(path))
    data = path.read_bytes()
    assert 100 < len(data) // len(block) < 263
    assert data == block * (len(data) // len(block))
    assert file.size == len(data)


def test_a_private_file_is_private_even_if_it_was_not(tmp_path: Path):
    path = tmp_path / "blocks"
    path.write_bytes(b"older and longer than what comes")
    path.chmod(0o644)
    BlockFile(str(path), private=True).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b""


def test_a_link_is_not_followed(tmp_path: Path):
    (tmp_path / "target").write_bytes(b"kept")
    (tmp_path / "link").symlink_to("target")
    with pytest.raises(OSError, match="symbolic links"):
        BlockFile(str(tmp_path / "link"))
    assert (tmp_path / "target").read_bytes() == b"kept"
