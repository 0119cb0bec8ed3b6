"""Writes what each side of a session sent into files: one for each side, or in QUIC one for each side of each stream."""

from collections.abc import Callable
from typing import Any, Final

from analyzer.analysis.missing_data import MissingData
from analyzer.application.exchange import NAMES
from analyzer.store.folder import Folder, Part

MAX_MISSING: Final = 1000
"""The most pieces of missing data of one file that the manifest lists."""

NO_STREAM: Final = -1
"""Stands for the number of a stream where a session has no streams."""

HASH_DIGITS: Final = 16

Keep = Callable[[Part, str, tuple[int, int, int, int], dict[str, Any]], None]
"""Gives a file its name, and lists it in the manifest, in the order of the key."""


class _File:
    """A file that is being written. part: None as long as it is empty, and if there are too many files."""

    __slots__ = ("first", "last", "missing", "part")

    def __init__(self) -> None:
        self.part: Part | None = None
        self.first = 0
        self.last = 0
        self.missing: list[dict[str, Any]] = []


class ExportedStreams:
    """The streams of one session. missing: what is missing in a session without streams."""

    def __init__(self, session: int, folder: Folder, keep: Keep, missing: MissingData) -> None:
        self._session = session
        self._folder = folder
        self._keep = keep
        self._missing = missing
        self._files: dict[tuple[int, int], _File] = {}

    def write(self, side: int, data: bytes, frame: int, stream: int = NO_STREAM, end: bool = False) -> None:
        """Write the next bytes of a side in a stream. end: whether they are the last."""
        if stream == NO_STREAM:
            self._note_missing()
        if data:
            file = self._file(side, stream)
            if not file.first:
                file.part = self._folder.begin()
                file.first = frame
            file.last = frame
            if file.part is not None:
                file.part.write(data)
        if end:
            self._finish(side, stream)

    def miss(self, side: int, stream: int, length: int | None, reason: str | None) -> None:
        """Note that bytes of a side are missing here in a stream. length: None if it is not known."""
        self._note(self._file(side, stream), length, 0, reason)

    def close(self) -> None:
        """Give the files that are left their names."""
        self._note_missing()
        for stream, side in list(self._files):
            self._finish(side, stream)

    def _file(self, side: int, stream: int) -> _File:
        file = self._files.get((stream, side))
        if file is None:
            file = self._files[stream, side] = _File()
        return file

    def _note_missing(self) -> None:
        for missing in self._missing.take():
            for side in (0, 1) if missing.role is None else (missing.role,):
                self._note(self._file(side, NO_STREAM), missing.n_bytes, missing.records, missing.reason)

    @staticmethod
    def _note(file: _File, n_bytes: int | None, records: int, reason: str | None) -> None:
        if len(file.missing) < MAX_MISSING:
            offset = 0 if file.part is None else file.part.size
            file.missing.append({"offset": offset, "bytes": n_bytes, "records": records, "reason": reason})

    def _finish(self, side: int, stream: int) -> None:
        file = self._files.pop((stream, side), None)
        if file is None or file.part is None:
            return
        entry = {
            "kind": "stream",
            "type": None,
            "session": self._session,
            "stream": None if stream == NO_STREAM else stream,
            "from": NAMES[side],
            "frames": {"first": file.first, "last": file.last},
            "missing": file.missing,
        }
        number = "" if stream == NO_STREAM else f"-stream-{stream}"
        name = f"streams/session-{self._session}{number}-{NAMES[side]}-{file.part.sha256[:HASH_DIGITS]}.stream"
        self._keep(file.part, name, (self._session, 2, stream + 1, side), entry)
