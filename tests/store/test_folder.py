import errno
import hashlib
import os
import stat
from pathlib import Path

import pytest
from limited import files_up_to

from analyzer.store.folder import MAX_OPEN, Folder


def write(folder: Folder, name: str, data: bytes) -> bool:
    part = folder.begin()
    assert part is not None
    part.write(data)
    return part.finish(name)


def test_a_file_gets_its_name_when_it_is_whole(tmp_path: Path):
    path = tmp_path / "new" / "folder"
    with Folder(str(path), 1000) as folder:
        part = folder.begin()
        assert part is not None
        part.write(b"one ")
        assert not (path / "a.bin").exists()
        part.write(b"two")
        assert part.finish("a.bin")
        assert (part.size, part.sha256, part.truncated) == (7, hashlib.sha256(b"one two").hexdigest(), None)
    assert {entry.name: entry.read_bytes() for entry in path.iterdir()} == {"a.bin": b"one two"}
    assert stat.S_IMODE((path / "a.bin").stat().st_mode) == 0o600
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_more_files_than_can_be_open_at_once(tmp_path: Path):
    n_open = len(os.listdir("/proc/self/fd"))
    with Folder(str(tmp_path / "out"), 1 << 20) as folder:
        parts = [folder.begin() for _ in range(5 * MAX_OPEN)]
        for turn in range(3):
            for number, part in enumerate(parts):
                assert part is not None
                part.write(b"%d %d\n" % (number, turn))
        assert len(os.listdir("/proc/self/fd")) <= n_open + MAX_OPEN + 2
        assert all(part is not None and part.finish(f"f{number}") for number, part in enumerate(parts))
    for number in range(5 * MAX_OPEN):
        assert (tmp_path / "out" / f"f{number}").read_text() == f"{number} 0\n{number} 1\n{number} 2\n"
    assert len(os.listdir("/proc/self/fd")) == n_open


def write_halves(out: Path) -> None:
    with Folder(str(out), 1000) as folder:
        for _ in range(3):
            part = folder.begin()
            assert part is not None
            part.write(b"half")
        assert len(list(out.iterdir())) == 3
        raise KeyboardInterrupt


def test_what_was_not_finished_is_gone(tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        write_halves(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_is_not_empty_is_an_error(tmp_path: Path):
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(FileExistsError):
        Folder(str(tmp_path), 1000)
    with Folder(str(tmp_path), 1000, force=True) as folder:
        assert write(folder, "new", b"x")
    assert (tmp_path / "mine").read_text() == "precious"


def test_a_file_is_not_a_folder(tmp_path: Path):
    (tmp_path / "file").write_text("precious")
    with pytest.raises(NotADirectoryError):
        Folder(str(tmp_path / "file"), 1000, force=True)


def test_links_in_the_folder_are_not_followed(tmp_path: Path):
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.write_text("precious")
    out.mkdir()
    (out / "a.bin").symlink_to(outside)
    (out / "b.bin").symlink_to(tmp_path / "not-there")
    with Folder(str(out), 1000, force=True) as folder:
        assert write(folder, "a.bin", b"new")
        assert write(folder, "b.bin", b"new")
    assert outside.read_text() == "precious"
    assert not (tmp_path / "not-there").exists()
    assert not (out / "a.bin").is_symlink()
    assert (out / "a.bin").read_bytes() == b"new"


@pytest.mark.parametrize(
    "name",
    [
        "../a",
        "a/b/c",
        "a/../b",
        "a/",
        "/a",
        "/etc/passwd",
        "",
        ".",
        "..",
        ".hidden",
        "a/.b",
        "a\n",
        "A",
        "ä",
        "a" * 200,
        "-x",
        "a\0",
    ],
)
def test_names_that_are_not_allowed(tmp_path: Path, name: str):
    with Folder(str(tmp_path / "out"), 1000) as folder, pytest.raises(ValueError, match="no name of ours"):
        write(folder, name, b"x")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_in_a_folder_of_the_folder(tmp_path: Path):
    with Folder(str(tmp_path / "out"), 1000) as folder:
        assert write(folder, "a.test/one", b"1")
        assert write(folder, "a.test/two", b"2")
        assert [folder.has(name) for name in ("a.test/one", "a.test", "a.test/three")] == [True, False, False]
    assert {path.name for path in (tmp_path / "out" / "a.test").iterdir()} == {"one", "two"}
    assert stat.S_IMODE((tmp_path / "out" / "a.test").stat().st_mode) == 0o700


def test_a_link_in_the_place_of_a_folder_is_not_followed(tmp_path: Path):
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    out.mkdir()
    (out / "a.test").symlink_to(outside)
    (out / "b.test").write_text("a file")
    with Folder(str(out), 1000, force=True) as folder:
        assert not write(folder, "a.test/x", b"new")
        assert not write(folder, "b.test/x", b"new")
        assert [name for name, _ in folder.failures] == ["a.test/x", "b.test/x"]
    assert list(outside.iterdir()) == []


def test_the_room_is_for_all_files_together(tmp_path: Path):
    with Folder(str(tmp_path / "out"), 10) as folder:
        parts = [folder.begin() for _ in range(3)]
        for part in parts:
            assert part is not None
            part.write(b"123456")
            part.write(b"789")
        assert [(part.size, part.truncated) for part in parts if part] == [(9, None), (1, "max_size"), (0, "max_size")]
        assert [part.finish(f"f{number}") for number, part in enumerate(parts) if part] == [True, True, False]
        assert (folder.n_truncated, folder.failures) == (2, [])
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == ["f0", "f1"]


def test_a_file_that_cannot_be_written_does_not_stop_the_others(tmp_path: Path):
    out = tmp_path / "out"
    (out / "a").mkdir(parents=True)
    with Folder(str(out), 1000, force=True) as folder:
        assert not write(folder, "a", b"x")
        assert write(folder, "b", b"x")
        assert [(name, error.errno) for name, error in folder.failures] == [("a", 21)]
    assert sorted(entry.name for entry in out.iterdir()) == ["a", "b"]


def test_a_file_that_the_system_does_not_accept_does_not_stop_the_others(tmp_path: Path):
    with Folder(str(tmp_path / "out"), 1 << 20) as folder:
        with files_up_to(4096):
            assert not write(folder, "large", bytes(5000))
            assert write(folder, "small", bytes(4000))
        assert [(name, error.errno) for name, error in folder.failures] == [("large", errno.EFBIG)]
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["small"]


def test_a_file_that_was_not_written_uses_no_room(tmp_path: Path):
    with Folder(str(tmp_path / "out"), 10_000) as folder:
        part = folder.begin()
        assert part is not None
        with files_up_to(4096):
            part.write(bytes(4000))
            part.write(bytes(1000))
        assert not part.finish("large")
        assert folder.room == 10_000


def test_an_empty_file(tmp_path: Path):
    with Folder(str(tmp_path / "out"), 1000) as folder:
        assert write(folder, "a", b"")
    assert (tmp_path / "out" / "a").read_bytes() == b""


def test_the_number_of_files_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analyzer.store.folder.MAX_FILES", 2)
    with Folder(str(tmp_path / "out"), 1000) as folder:
        assert folder.begin() is not None
        assert folder.begin() is not None
        assert folder.begin() is None
        assert folder.n_refused == 1
        assert folder.begin_needed().finish("a")
