"""The manifest of a folder of exported files: JSON, one file a line, in order of sessions.

All text of it is ASCII: whatever a capture has in its names stands as JSON's escapes, so that the file can be looked at on any
terminal. Entries wait on the disk, not in memory, since URLs may be long and many.
"""

import json
import tempfile
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from analyzer.store.folder import Folder

NAME = "manifest.json"

Key = tuple[int, int, int, int]
"""What entries are sorted by: session, kind, number, side."""


class Manifest:
    """Entries in any order in, a sorted file out; to be opened by `with`, inside that of its folder."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._spool = tempfile.TemporaryFile(dir=folder.path)  # noqa: SIM115 - closed by __exit__
        self._index: list[tuple[Key, int, int]] = []
        self._size = 0

    def __enter__(self) -> "Manifest":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self._spool.close()

    def add(self, key: Key, entry: Mapping[str, Any]) -> None:
        """Take the entry of a file that is whole. Raises OSError."""
        line = json.dumps(entry).encode("ascii")
        self._spool.write(line)
        self._index.append((key, self._size, len(line)))
        self._size += len(line)

    def write(self) -> bool:
        """Write the file, whatever room there is; False where that went wrong, which `Folder.failures` then has."""
        self._folder.room += self._size + 4 * len(self._index) + 16
        part = self._folder.begin_needed()
        part.write(b"[\n")
        for number, (_, offset, length) in enumerate(sorted(self._index)):
            self._spool.seek(offset)
            part.write(self._spool.read(length) + (b",\n" if number < len(self._index) - 1 else b"\n"))
        part.write(b"]\n")
        return part.finish(NAME)
