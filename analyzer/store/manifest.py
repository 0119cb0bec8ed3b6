"""The manifest of a folder of exported files: JSON, one file a line, in order of sessions.

All text of it is ASCII: whatever a capture has in its names stands as JSON's escapes, so that the file can be looked at on any
terminal. Entries wait on the disk, not in memory, since URLs may be long and many. As they come, as much again is written to
a file that only takes up room: so the manifest can be written when the disk is full.
"""

import json
import tempfile
from collections.abc import Mapping
from io import FileIO
from types import TracebackType
from typing import Any

from analyzer.store.folder import Folder

NAME = "manifest.json"

Key = tuple[int, int, int, int]
"""What entries are sorted by: session, kind, number, side."""


class Manifest:
    """Entries in any order in, a sorted file out; to be opened by `with`, inside that of its folder."""

    def __init__(self, folder: Folder) -> None:
        """Raises OSError."""
        self._folder = folder
        # Closed by __exit__; without a buffer each call tells whether there was room.
        self._spool, self._reserve = (tempfile.TemporaryFile(buffering=0, dir=folder.path) for _ in range(2))  # noqa: SIM115
        self._index: list[tuple[Key, int, int]] = []
        self._size = 0
        _write_at(self._reserve, 0, _HEAD + _FOOT)

    def __enter__(self) -> "Manifest":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self._spool.close()
        self._reserve.close()

    def add(self, key: Key, entry: Mapping[str, Any]) -> None:
        """Take the entry of a file. Raises OSError, and has not taken it then."""
        line = json.dumps(entry).encode("ascii") + _BETWEEN
        try:
            _write_at(self._reserve, self._size + len(_HEAD + _FOOT), line)
            _write_at(self._spool, self._size, line)
        except OSError:
            self._cut()
            raise
        self._index.append((key, self._size, len(line)))
        self._size += len(line)

    def withdraw(self) -> None:
        """Leave out the entry that was added last."""
        _, self._size, _ = self._index.pop()
        self._cut()

    def write(self) -> bool:
        """Write the file, whatever room there is; False where that went wrong, which `Folder.failures` then has."""
        self._reserve.close()
        self._folder.room += self._size + len(_HEAD + _FOOT)
        part = self._folder.begin_needed()
        part.write(_HEAD)
        for number, (_, offset, length) in enumerate(sorted(self._index)):
            self._spool.seek(offset)
            line = self._spool.read(length)
            part.write(line if number < len(self._index) - 1 else line.removesuffix(_BETWEEN) + b"\n")
        part.write(_FOOT)
        return part.finish(NAME)

    def _cut(self) -> None:
        self._reserve.truncate(self._size + len(_HEAD + _FOOT))
        self._spool.truncate(self._size)


_HEAD, _BETWEEN, _FOOT = b"[\n", b",\n", b"]\n"


def _write_at(file: FileIO, offset: int, data: bytes) -> None:
    file.seek(offset)
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
