"""Reads a key log that another program is still writing: what was added to it since the last read.

A browser appends a session's secrets while the session begins. With a capture from a pipe or an interface, they come a short
time before or after the packets that they decrypt. Programs also empty their log, rename it and begin a new one in its place,
or create it only when they start. All of this is detected by what `fstat` says of the open file and of the path (size, device
and inode), and secrets that were read before stay known. A program that has the renamed file open goes on writing there, so it
is read for another minute. One read takes a bounded number of bytes, so that a log of any size does not keep packets waiting.
"""

import errno
import os
import stat
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from analyzer.cli.output import complain

if TYPE_CHECKING:
    from analyzer.secrets.keylog import KeyLog

_CHUNK = 1 << 20

MOST_AT_ONCE = 4 << 20
"""Bytes that one `read_new` takes at most: about 5,000 sessions of TLS 1.3, or 30 ms of work."""

_REMEMBERED = 64
"""The last bytes that were read, at most. If they are not the same any more, the file was emptied and filled again."""


REPLACED_FOR = 60.0
"""Seconds for which a file is still read after another one took its place."""


class Tail:
    """Reads one key log into a `KeyLog`. The path must be that of a regular file, or of nothing yet.

    path: of the key log, which is also the source of its lines. Lines that come into a replaced file have `replaced(path)`.
    """

    def __init__(self, keylog: "KeyLog", path: str, *, may_be_missing: bool = False) -> None:
        """may_be_missing: a file that is not there yet is waited for, and a note says so. Raises OSError without it."""
        self.path = path
        self._keylog = keylog
        self._file: _File | None = None
        self._replaced: _File | None = None
        self._replaced_until = 0.0
        self._trouble = ""
        try:
            self._file = _File(_open(path), path)
        except FileNotFoundError:
            if not may_be_missing:
                raise
            complain(f"{path}: not there yet; it is read as soon as it is")

    def read_new(self) -> bool:
        """Read what is new, up to MOST_AT_ONCE bytes of each file. Return whether there is more to read at once."""
        more = False
        if self._replaced is not None:
            more = self._replaced.read(self._keylog)
            if not more and monotonic() >= self._replaced_until:
                self._leave_replaced()
        return self._read_named() or more

    def close(self) -> None:
        """Read all that is new, and take the last line even without a line end."""
        while self.read_new():
            pass
        self._leave_replaced()
        self._keylog.close(self.path)
        if self._file is not None:
            os.close(self._file.descriptor)
            self._file = None

    def _read_named(self) -> bool:
        """Read what is new in the file that the path names. Return whether there is more."""
        file = self._file or self._reopen()
        if file is None:
            return False
        if not file.continues():
            self._begin("was emptied")
            file.begin()
        if file.read(self._keylog):
            return True
        try:
            there = os.stat(self.path)
        except OSError:  # the file is gone, perhaps only until a new one takes its place
            return False
        if os.path.samestat(there, os.fstat(file.descriptor)):
            return False
        newer = self._reopen()
        if newer is None:
            return False
        self._leave_replaced()
        file.source = replaced(self.path)
        file.position = file.line  # a line that is not complete yet is read again, as one of the replaced file
        self._replaced, self._replaced_until = file, monotonic() + REPLACED_FOR
        self._begin("was replaced by another file")
        return newer.read(self._keylog)

    def _reopen(self) -> "_File | None":
        """Open the file that the path names now. Return None if that failed; each kind of trouble is reported once."""
        try:
            self._file = _File(_open(self.path), self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            if self._trouble != str(error.strerror):
                self._trouble = str(error.strerror)
                complain(f"{self.path}: {error.strerror}; it is tried again")
            return None
        self._trouble = ""
        return self._file

    def _begin(self, why: str) -> None:
        complain(f"{self.path}: {why} while it was read; the secrets read before stay in use")
        self._keylog.restart(self.path)

    def _leave_replaced(self) -> None:
        """Read a replaced file no further."""
        if self._replaced is not None:
            self._keylog.restart(self._replaced.source)
            os.close(self._replaced.descriptor)
            self._replaced = None


def replaced(path: str) -> str:
    """Return the source of lines that were written into a file after another one took its place at `path`."""
    return f"{path} (the file before it was replaced)"


@dataclass(slots=True)
class _File:
    """An open file. position: up to where it was read; line: where its last line begins; last: the last bytes read."""

    descriptor: int
    source: str
    position: int = 0
    line: int = 0
    last: bytes = b""

    def begin(self) -> None:
        """Begin again: the file was emptied."""
        self.position = self.line = 0
        self.last = b""

    def continues(self) -> bool:
        """Return whether what was read is still the beginning of the file."""
        if os.fstat(self.descriptor).st_size < self.position:
            return False
        n_last = len(self.last)
        return os.pread(self.descriptor, n_last, self.position - n_last) == self.last

    def read(self, keylog: "KeyLog") -> bool:
        """Read to the end of the file or the limit. Return whether the limit was reached."""
        end = self.position + MOST_AT_ONCE
        while self.position < end:
            data = os.pread(self.descriptor, min(_CHUNK, end - self.position), self.position)
            if not data:
                return False
            line_end = data.rfind(b"\n") + 1
            if line_end:
                self.line = self.position + line_end
            self.position += len(data)
            self.last = (self.last + data[-_REMEMBERED:])[-_REMEMBERED:]
            keylog.feed(data, self.source)
        return True


def _open(path: str) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", path)
    return descriptor
