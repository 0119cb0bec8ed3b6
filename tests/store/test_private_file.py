import os
import stat
from pathlib import Path

import pytest

from analyzer.store.private_file import PrivateFile


def fail_within(path: Path) -> None:
    with PrivateFile(str(path)) as file:
        file.write(b"half")
        raise ValueError("what it was for has gone wrong")


def test_it_is_complete_and_only_for_its_owner(tmp_path: Path):
    path = tmp_path / "file"
    previous = os.umask(0)
    try:
        with PrivateFile(str(path)) as file:
            file.write(b"one")
            assert not path.exists()
    finally:
        os.umask(previous)
    assert path.read_bytes() == b"one"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_after_an_error_there_is_no_file(tmp_path: Path):
    with pytest.raises(ValueError, match="gone wrong"):
        fail_within(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_kept_by_default(tmp_path: Path):
    path = tmp_path / "file"
    path.write_text("precious")
    path.chmod(0o644)
    with pytest.raises(FileExistsError):
        PrivateFile(str(path))
    assert path.read_text() == "precious"
    with PrivateFile(str(path), force=True) as file:
        file.write(b"new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_links_are_not_followed(tmp_path: Path):
    outside, path = tmp_path / "outside", tmp_path / "file"
    outside.write_text("precious")
    path.symlink_to(outside)
    with pytest.raises(FileExistsError):
        PrivateFile(str(path))
    with PrivateFile(str(path), force=True) as file:
        file.write(b"new")
    assert outside.read_text() == "precious"
    assert not path.is_symlink()
    path.unlink()
    path.symlink_to(tmp_path / "not-there")
    with pytest.raises(FileExistsError):
        PrivateFile(str(path))


def test_a_folder_is_not_a_file(tmp_path: Path):
    with pytest.raises(IsADirectoryError):
        PrivateFile(str(tmp_path), force=True)


def test_the_name_of_the_file_is_in_the_error(tmp_path: Path):
    path = tmp_path / "absent" / "file"
    with pytest.raises(FileNotFoundError) as caught, PrivateFile(str(path)):
        pass
    assert caught.value.filename == str(path)


@pytest.mark.parametrize("linked", [False, True])
def test_only_a_regular_file_is_replaced(tmp_path: Path, linked: bool):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for force in (False, True):
        with pytest.raises(OSError, match="not a regular file"):
            PrivateFile(str(link if linked else pipe), force)
    assert link.is_symlink()
    assert pipe.is_fifo()
