import errno
import json
from pathlib import Path

import pytest
from limited import files_up_to

from analyzer.store.folder import Folder
from analyzer.store.manifest import Manifest


def manifest_of(path: Path, *entries: tuple[tuple[int, int, int, int], dict[str, object]], room: int = 100) -> bytes:
    with Folder(str(path), room) as folder, Manifest(folder) as manifest:
        for key, entry in entries:
            manifest.add(key, entry)
        assert manifest.write()
    assert [entry.name for entry in path.iterdir()] == ["manifest.json"]
    return (path / "manifest.json").read_bytes()


def test_entries_are_sorted_with_one_per_line(tmp_path: Path):
    keys = [(10, 0, 0, 0), (2, 1, 0, 0), (2, 0, 11, 1), (2, 0, 3, 1), (2, 0, 3, 0)]
    data = manifest_of(tmp_path / "out", *((key, {"key": list(key)}) for key in keys))
    assert [entry["key"] for entry in json.loads(data)] == [list(key) for key in sorted(keys)]
    lines = data.decode().splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("[", "]", len(keys) + 2)
    assert json.loads(lines[1].rstrip(",")) == {"key": [2, 0, 3, 0]}


def test_no_entries_give_an_empty_list(tmp_path: Path):
    assert json.loads(manifest_of(tmp_path / "out")) == []


def test_it_is_always_plain_ascii(tmp_path: Path):
    url = 'https://x/\x1b[2J\x9b\u202e"\ud800\n</script>' + "ä" * 5000
    data = manifest_of(tmp_path / "out", ((0, 0, 0, 0), {"url": url}), room=0)
    assert all(0x20 <= byte < 0x7F or byte == 0x0A for byte in data)
    assert json.loads(data) == [{"url": url}]


def test_it_lists_the_added_entries_when_nothing_more_can_be_written(tmp_path: Path):
    with Folder(str(tmp_path / "out"), 0) as folder, Manifest(folder) as manifest, files_up_to(1000):
        for number in range(9):
            manifest.add((number, 0, 0, 0), {"number": number, "url": "x" * 70})
        for _ in range(3):
            with pytest.raises(OSError, match="too large") as raised:
                manifest.add((9, 0, 0, 0), {"number": 9, "url": "x" * 140})
            assert raised.value.errno == errno.EFBIG
        assert manifest.write()
    data = (tmp_path / "out" / "manifest.json").read_bytes()
    assert [entry["number"] for entry in json.loads(data)] == list(range(9))
    assert len(data) < 1000


def test_the_last_entry_can_be_removed(tmp_path: Path):
    with Folder(str(tmp_path / "out"), 0) as folder, Manifest(folder) as manifest:
        for name in ("one", "a longer one", "two"):
            manifest.add((0, 0, 0, 0), {"name": name})
            if name == "a longer one":
                manifest.withdraw()
        assert manifest.write()
    assert json.loads((tmp_path / "out" / "manifest.json").read_bytes()) == [{"name": "one"}, {"name": "two"}]
