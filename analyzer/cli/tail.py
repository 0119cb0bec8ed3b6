"""Reads a key log that another program is still writing: what was added to it since the last read.

A browser appends a session's secrets while the session begins. With a capture from a pipe, they come a short time before or
after the packets that they decrypt. Programs also empty their log, or put a new file in its place. Both are detected and
reported, and secrets that were read before stay known.
"""

import os
from typing import TYPE_CHECKING

from analyzer.cli.output import complain

if TYPE_CHECKING:
    from analyzer.secrets.keylog import KeyLog

_CHUNK = 1 << 20


class Tail:
    """Reads one key log into a `KeyLog`. The path must be that of a regular file. Raises OSError."""

    def __init__(self, keylog: "KeyLog", path: str) -> None:
        self.path = path
        self._keylog = keylog
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._position = 0

    def read_new(self) -> None:
        """Read what is new."""
        if os.fstat(self._descriptor).st_size < self._position:
            self._begin("was emptied")
        self._read()
        try:
            there = os.stat(self.path)
        except OSError:  # the file is gone, perhaps only until a new one takes its place
            return
        if not os.path.samestat(there, os.fstat(self._descriptor)):
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            os.close(self._descriptor)
            self._descriptor = descriptor
            self._begin("was replaced by another file")
            self._read()

    def close(self) -> None:
        """Read what is new, and take the last line even without a line end."""
        self.read_new()
        self._keylog.close(self.path)
        os.close(self._descriptor)

    def _begin(self, why: str) -> None:
        complain(f"{self.path}: {why} while it was read; the secrets read before stay in use")
        self._keylog.restart(self.path)
        self._position = 0

    def _read(self) -> None:
        while data := os.pread(self._descriptor, _CHUNK, self._position):
            self._position += len(data)
            self._keylog.feed(data, self.path)
