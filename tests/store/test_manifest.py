import errno
import json
from pathlib import Path
from typing import Any

import pytest
from limited import files_up_to

from analyzer.store.folder import Folder
from analyzer.store.manifest import Manifest

HEAD = {"tool": "x", "inputs": [1, 2]}


def write(folder: Folder, name: str) -> dict[str, Any]:
    part = folder.begin()
    assert part is not None
    assert part.finish(name)
    return {"file": name}


def manifest_of(path: Path, *entries: tuple[tuple[int, int, int, int], dict[str, Any]], room: int = 100) -> dict[str, Any]:
    with Folder(str(path), room) as folder, Manifest(folder, HEAD) as manifest:
        for number, (key, entry) in enumerate(entries):
            manifest.add(key, {**write(folder, f"f{number}"), **entry})
        assert manifest.write(HEAD)
    assert {entry.name for entry in path.iterdir()} == {"manifest.json", *(f"f{number}" for number in range(len(entries)))}
    value: dict[str, Any] = json.loads((path / "manifest.json").read_bytes())
    assert value.pop("format") == "analyzer export"
    assert value.pop("version") == 1
    assert {key: value[key] for key in HEAD} == HEAD
    return value


def test_entries_are_sorted_with_one_per_line(tmp_path: Path):
    keys = [(10, 0, 0, 0), (2, 1, 0, 0), (2, 0, 11, 1), (2, 0, 3, 1), (2, 0, 3, 0)]
    value = manifest_of(tmp_path / "out", *((key, {"key": list(key)}) for key in keys))
    assert [entry["key"] for entry in value["files"]] == [list(key) for key in sorted(keys)]
    lines = (tmp_path / "out" / "manifest.json").read_text().splitlines()
    assert (lines[1], lines[-1], len(lines)) == ('], "files": [', "]}", len(keys) + 3)
    assert json.loads(lines[2].rstrip(",")) == {"file": "f4", "key": [2, 0, 3, 0]}


def test_no_entries_give_empty_lists(tmp_path: Path):
    value = manifest_of(tmp_path / "out")
    assert (value["files"], value["sessions"], value["has_all_sessions"]) == ([], [], True)


def test_sessions_stand_before_files(tmp_path: Path):
    with Folder(str(tmp_path / "out"), 0) as folder, Manifest(folder, HEAD) as manifest:
        manifest.add((2, 0, 0, 0), write(folder, "f"))
        for number in (3, 2):
            manifest.add_session(number, {"id": number})
        assert manifest.write(HEAD)
        assert folder.room == 0  # it has exactly the bytes that it needs
    value = json.loads((tmp_path / "out" / "manifest.json").read_bytes())
    assert [one["id"] for one in value["sessions"]] == [2, 3]
    assert [one["file"] for one in value["files"]] == ["f"]


def test_it_is_always_plain_ascii(tmp_path: Path):
    url = 'https://x/\x1b[2J\x9b\u202e"\ud800\n</script>' + "ä" * 5000
    value = manifest_of(tmp_path / "out", ((0, 0, 0, 0), {"url": url}), room=0)
    data = (tmp_path / "out" / "manifest.json").read_bytes()
    assert all(0x20 <= byte < 0x7F or byte == 0x0A for byte in data)
    assert value["files"] == [{"file": "f0", "url": url}]


def test_it_lists_the_added_entries_when_nothing_more_can_be_written(tmp_path: Path):
    with Folder(str(tmp_path / "out"), 0) as folder, Manifest(folder, HEAD) as manifest, files_up_to(1300):
        for number in range(9):
            manifest.add((number, 0, 0, 0), {**write(folder, f"f{number}"), "url": "x" * 70})
        manifest.add_session(0, {"id": 0, "name": "x" * 300})
        for _ in range(3):
            with pytest.raises(OSError, match="too large") as raised:
                manifest.add((9, 0, 0, 0), {"file": "f9", "url": "x" * 340})
            assert raised.value.errno == errno.EFBIG
        assert manifest.write(HEAD)
    data = (tmp_path / "out" / "manifest.json").read_bytes()
    value = json.loads(data)
    assert [entry["file"] for entry in value["files"]] == [f"f{number}" for number in range(9)]
    assert (value["sessions"], value["has_all_sessions"]) == ([], False)
    assert len(data) < 1300


def test_the_last_entry_can_be_removed(tmp_path: Path):
    with Folder(str(tmp_path / "out"), 0) as folder, Manifest(folder, HEAD) as manifest:
        for name in ("one", "a-longer-one", "two"):
            manifest.add((0, 0, 0, 0), write(folder, name))
            if name == "a-longer-one":
                manifest.withdraw()
        assert manifest.write(HEAD)
    assert [one["file"] for one in json.loads((tmp_path / "out" / "manifest.json").read_bytes())["files"]] == ["one", "two"]


def test_a_file_that_is_not_there_is_not_listed(tmp_path: Path):
    with Folder(str(tmp_path / "out"), 0) as folder, Manifest(folder, HEAD) as manifest:
        manifest.add((0, 0, 0, 0), write(folder, "host/there"))
        manifest.add((1, 0, 0, 0), {"file": "host/interrupted-before-it-got-its-name"})
        assert manifest.write(HEAD)
    assert [one["file"] for one in json.loads((tmp_path / "out" / "manifest.json").read_bytes())["files"]] == ["host/there"]
