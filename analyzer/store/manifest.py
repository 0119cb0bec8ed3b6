"""Writes the manifest of a folder of exported files: JSON, one line for each file, in the order of sessions.

All its text is ASCII. Other characters from the capture are JSON escapes, so the file can be shown on any terminal. Entries are
kept on the disk, not in memory, because there may be many long URLs. The same number of bytes is also written to a reserve
file, which is removed at the end. So there is room for the manifest even when the disk is full.
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
"""The sort key of an entry: session, kind, number, side."""


class Manifest:
    """Takes entries in any order, and writes them sorted. Use it in a `with` block, inside that of its folder."""

    def __init__(self, folder: Folder) -> None:
        """Raises OSError."""
        self._folder = folder
        # Closed by __exit__. Without a buffer, each call shows whether there was room.
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
        """Add the entry of a file. Raises OSError; then the entry is not added."""
        line = json.dumps(entry).encode("ascii") + _SEPARATOR
        try:
            _write_at(self._reserve, self._size + len(_HEAD + _FOOT), line)
            _write_at(self._spool, self._size, line)
        except OSError:
            self._truncate()
            raise
        self._index.append((key, self._size, len(line)))
        self._size += len(line)

    def withdraw(self) -> None:
        """Remove the entry that was added last."""
        _, self._size, _ = self._index.pop()
        self._truncate()

    def write(self) -> bool:
        """Write the file, even if `Folder.room` is used up. Return False if that failed; `Folder.failures` has the error."""
        self._reserve.close()
        self._folder.room += self._size + len(_HEAD + _FOOT)
        part = self._folder.begin_needed()
        part.write(_HEAD)
        for number, (_, offset, length) in enumerate(sorted(self._index)):
            self._spool.seek(offset)
            line = self._spool.read(length)
            part.write(line if number < len(self._index) - 1 else line.removesuffix(_SEPARATOR) + b"\n")
        part.write(_FOOT)
        return part.finish(NAME)

    def _truncate(self) -> None:
        self._reserve.truncate(self._size + len(_HEAD + _FOOT))
        self._spool.truncate(self._size)


_HEAD, _SEPARATOR, _FOOT = b"[\n", b",\n", b"]\n"


def _write_at(file: FileIO, offset: int, data: bytes) -> None:
    file.seek(offset)
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
