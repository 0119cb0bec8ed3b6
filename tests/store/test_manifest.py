import json
from pathlib import Path

from analyzer.store.folder import Folder
from analyzer.store.manifest import Manifest


def manifest_of(path: Path, *entries: tuple[tuple[int, int, int, int], dict[str, object]], room: int = 100) -> bytes:
    with Folder(str(path), room) as folder, Manifest(folder) as manifest:
        for key, entry in entries:
            manifest.add(key, entry)
        assert manifest.write()
    assert [entry.name for entry in path.iterdir()] == ["manifest.json"]
    return (path / "manifest.json").read_bytes()


def test_entries_stand_in_order_one_a_line(tmp_path: Path):
    keys = [(10, 0, 0, 0), (2, 1, 0, 0), (2, 0, 11, 1), (2, 0, 3, 1), (2, 0, 3, 0)]
    data = manifest_of(tmp_path / "out", *((key, {"key": list(key)}) for key in keys))
    assert [entry["key"] for entry in json.loads(data)] == [list(key) for key in sorted(keys)]
    lines = data.decode().splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("[", "]", len(keys) + 2)
    assert json.loads(lines[1].rstrip(",")) == {"key": [2, 0, 3, 0]}


def test_nothing_is_a_list_too(tmp_path: Path):
    assert json.loads(manifest_of(tmp_path / "out")) == []


def test_it_is_plain_ascii_whatever_it_says(tmp_path: Path):
    url = 'https://x/\x1b[2J\x9b\u202e"\ud800\n</script>' + "ä" * 5000
    data = manifest_of(tmp_path / "out", ((0, 0, 0, 0), {"url": url}), room=0)
    assert all(0x20 <= byte < 0x7F or byte == 0x0A for byte in data)
    assert json.loads(data) == [{"url": url}]
