"""Reading a folder that may be hostile: only its own regular files, and no more of them than the limit."""

import os
import socket
from pathlib import Path

import pytest

from analyzer.report import bundle_folder
from analyzer.report.bundle_folder import BundleFolder, FolderError, is_plain


def test_files_are_listed_hashed_and_read(tmp_path: Path):
    (tmp_path / "b").write_bytes(b"abc")
    (tmp_path / "a").mkdir()
    (tmp_path / "c").symlink_to("b")
    os.mkfifo(tmp_path / "d")
    with BundleFolder(str(tmp_path)) as folder:
        assert folder.names == ["a", "b", "c", "d"]
        assert folder.kinds == {"a": "folder", "c": "link", "d": "special file"}
        assert folder.read("b", 3) == b"abc"
        assert folder.read_head("b", 2) == b"ab"
        assert folder.size("b") == 3
        assert folder.sha256("b") == (3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        for name in ("a", "c", "d", "missing", "../x", "."):
            for use in (folder.size, folder.sha256, lambda name: folder.read(name, 10)):
                with pytest.raises(FolderError):
                    use(name)


def test_what_is_no_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket has a limit of 108 bytes
    (tmp_path / "c").symlink_to("missing")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
    with BundleFolder(str(tmp_path)) as folder:
        with pytest.raises(FolderError, match="it is a link"):
            folder.size("c")
        with pytest.raises(FolderError, match="it is a special file"):
            folder.size("s")


def test_a_file_with_more_than_the_limit_is_not_read(tmp_path: Path):
    (tmp_path / "b").write_bytes(b"abcd")
    with BundleFolder(str(tmp_path)) as folder, pytest.raises(FolderError, match="more than 3 bytes"):
        folder.read("b", 3)


def test_a_file_that_is_too_large_is_not_hashed(tmp_path: Path):
    with open(tmp_path / "b", "wb") as file:
        file.truncate(1 << 40)
    with BundleFolder(str(tmp_path)) as folder, pytest.raises(FolderError, match="more than"):
        folder.sha256("b")


def test_a_folder_with_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bundle_folder, "MOST_FILES", 3)
    for number in range(4):
        (tmp_path / str(number)).touch()
    with pytest.raises(FolderError, match="more than 3"):
        BundleFolder(str(tmp_path))


def test_what_is_no_folder_is_an_error(tmp_path: Path):
    (tmp_path / "b").touch()
    for path in (tmp_path / "b", tmp_path / "missing"):
        with pytest.raises(OSError, match=r"b|missing"):
            BundleFolder(str(path))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a", "a\\b", "a\0", "\ud800"])
def test_names_that_lead_elsewhere(name: str):
    assert not is_plain(name)
    assert is_plain("report.json")
