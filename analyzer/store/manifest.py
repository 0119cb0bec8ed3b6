"""Writes the manifest of a folder of exported files: a JSON object with what was read, and an entry for each file.

The object is written in a fixed form: a line with all that is about the whole, then one line for each session, then one for
each file, in the order of sessions. So a reader can check it line by line, however many files there are. All text is ASCII;
other characters from the capture are JSON escapes, so the file can be shown on any terminal. Entries are kept on the disk,
not in memory, because there may be many long URLs. The same number of bytes is also written to a reserve file, which is
removed at the end. So there is room for the manifest even when the disk is full.
"""

import json
import tempfile
from collections.abc import Mapping
from io import FileIO
from types import TracebackType
from typing import Any, Final

from analyzer.store.folder import Folder

NAME = "manifest.json"

FORMAT: Final = "analyzer export"
"""What a manifest says of itself, with `VERSION`."""

VERSION: Final = 1

SESSIONS: Final = b'"sessions": ['
"""The end of the first line, behind which the sessions stand."""

FILES: Final = b'], "files": ['
"""The line behind which the files stand."""

END: Final = b"]}"
"""The last line."""

Key = tuple[int, int, int, int]
"""The sort key of an entry: session, kind, number, side."""

_SESSION_KIND: Final = -1
_SEPARATOR: Final = b",\n"


class Manifest:
    """Takes entries in any order, and writes them sorted. Use it in a `with` block, inside that of its folder."""

    def __init__(self, folder: Folder, head: Mapping[str, Any]) -> None:
        """head: what is about the whole, as `write` takes it, so that there is room for it. Raises OSError."""
        self._folder = folder
        # Closed by __exit__. Without a buffer, each call shows whether there was room.
        self._spool, self._reserve = (tempfile.TemporaryFile(buffering=0, dir=folder.path) for _ in range(2))  # noqa: SIM115
        self._index: list[tuple[Key, int, int, str]] = []
        self._size = 0
        self._has_all_sessions = True
        self._room = len(_head(head, False)) + len(FILES + END) + 3
        _write_at(self._reserve, 0, bytes(self._room))

    def __enter__(self) -> "Manifest":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        self._spool.close()
        self._reserve.close()

    def add(self, key: Key, entry: Mapping[str, Any]) -> None:
        """Add the entry of a file. Raises OSError; then the entry is not added."""
        self._add(key, entry, entry["file"])

    def add_session(self, number: int, entry: Mapping[str, Any]) -> None:
        """Add what is about a session that has files. Without room it is left out, which the manifest says."""
        try:
            self._add((number, _SESSION_KIND, 0, 0), entry, "")
        except OSError:
            self._has_all_sessions = False

    def withdraw(self) -> None:
        """Remove the entry that was added last."""
        _, self._size, _, _ = self._index.pop()
        self._truncate()

    def write(self, head: Mapping[str, Any]) -> bool:
        """Write the file, even if `Folder.room` is used up. Return False if that failed; `Folder.failures` has the error.

        head: what is about the whole. A file that is not in the folder is not listed.
        """
        self._reserve.close()
        first = _head(head, self._has_all_sessions)
        ordered = sorted(self._index)
        sessions = [one for one in ordered if one[0][1] == _SESSION_KIND]
        files = [one for one in ordered if one[0][1] != _SESSION_KIND and self._folder.has(one[3])]
        n_bytes = sum(length for _, _, length, _ in sessions + files) - bool(sessions) - bool(files)  # the last has no comma
        self._folder.room += n_bytes + len(first) + len(FILES + END) + 2
        part = self._folder.begin_needed()
        part.write(first)
        for listed, foot in ((sessions, FILES + b"\n"), (files, END + b"\n")):
            for number, (_, offset, length, _) in enumerate(listed):
                self._spool.seek(offset)
                line = self._spool.read(length)
                part.write(line if number < len(listed) - 1 else line.removesuffix(_SEPARATOR) + b"\n")
            part.write(foot)
        return part.finish(NAME)

    def _add(self, key: Key, entry: Mapping[str, Any], file: str) -> None:
        line = json.dumps(entry).encode("ascii") + _SEPARATOR
        try:
            _write_at(self._reserve, self._size + self._room, line)
            _write_at(self._spool, self._size, line)
        except OSError:
            self._truncate()
            raise
        self._index.append((key, self._size, len(line), file))
        self._size += len(line)

    def _truncate(self) -> None:
        self._reserve.truncate(self._size + self._room)
        self._spool.truncate(self._size)


def _head(head: Mapping[str, Any], has_all_sessions: bool) -> bytes:
    """Return the first line."""
    value = {"format": FORMAT, "version": VERSION, **head, "has_all_sessions": has_all_sessions}
    return json.dumps(value).encode("ascii").removesuffix(b"}") + b", " + SESSIONS + b"\n"


def _write_at(file: FileIO, offset: int, data: bytes) -> None:
    file.seek(offset)
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
