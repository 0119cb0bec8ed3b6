"""Reads a key log that another program is still writing: what was added to it since the last read.

A browser appends a session's secrets while the session begins. With a capture from a pipe or an interface, they come a short
time before or after the packets that they decrypt. Programs also empty their log, rename it and begin a new one in its place,
or create it only when they start. All of this is detected by what `fstat` says of the open file and of the path (size, device
and inode), and secrets that were read before stay known. One read takes a bounded number of bytes, so that a log of any size
does not keep packets waiting.
"""

import errno
import os
import stat
from typing import TYPE_CHECKING

from analyzer.cli.output import complain

if TYPE_CHECKING:
    from analyzer.secrets.keylog import KeyLog

_CHUNK = 1 << 20

MOST_AT_ONCE = 4 << 20
"""Bytes that one `read_new` takes at most: about 5,000 sessions of TLS 1.3, or 30 ms of work."""

_REMEMBERED = 64
"""The last bytes that were read, at most. If they are not the same any more, the file was emptied and filled again."""


class Tail:
    """Reads one key log into a `KeyLog`. The path must be that of a regular file, or of nothing yet.

    path: of the key log. present: whether there is a file, as far as is known.
    """

    def __init__(self, keylog: "KeyLog", path: str, *, may_be_missing: bool = False) -> None:
        """may_be_missing: a file that is not there yet is waited for, and a note says so. Raises OSError without it."""
        self.path = path
        self._keylog = keylog
        self._position = 0
        self._last = b""
        self._descriptor = -1
        self._trouble = ""
        try:
            self._descriptor = _open(path)
        except FileNotFoundError:
            if not may_be_missing:
                raise
            complain(f"{path}: not there yet; it is read as soon as it is")

    @property
    def present(self) -> bool:
        """Whether there is a file, as far as the last read could tell."""
        return self._descriptor >= 0

    def read_new(self) -> bool:
        """Read what is new, up to MOST_AT_ONCE bytes. Return whether there is more to read at once."""
        if self._descriptor < 0 and not self._reopen():
            return False
        if not self._continues():
            self._begin("was emptied")
        if self._read():
            return True
        try:
            there = os.stat(self.path)
        except OSError:  # the file is gone, perhaps only until a new one takes its place
            return False
        if os.path.samestat(there, os.fstat(self._descriptor)):
            return False
        old = self._descriptor
        if not self._reopen():
            return False
        os.close(old)
        self._begin("was replaced by another file")
        return self._read()

    def close(self) -> None:
        """Read all that is new, and take the last line even without a line end."""
        while self.read_new():
            pass
        self._keylog.close(self.path)
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _reopen(self) -> bool:
        """Open the file that the path names now. Return whether that worked; each kind of trouble is reported once."""
        try:
            self._descriptor = _open(self.path)
        except FileNotFoundError:
            return False
        except OSError as error:
            if self._trouble != str(error.strerror):
                self._trouble = str(error.strerror)
                complain(f"{self.path}: {error.strerror}; it is tried again")
            return False
        self._trouble = ""
        return True

    def _continues(self) -> bool:
        """Return whether what was read is still the beginning of the file."""
        if os.fstat(self._descriptor).st_size < self._position:
            return False
        n_last = len(self._last)
        return os.pread(self._descriptor, n_last, self._position - n_last) == self._last

    def _begin(self, why: str) -> None:
        complain(f"{self.path}: {why} while it was read; the secrets read before stay in use")
        self._keylog.restart(self.path)
        self._position = 0
        self._last = b""

    def _read(self) -> bool:
        """Read to the end of the file or the limit. Return whether the limit was reached."""
        end = self._position + MOST_AT_ONCE
        while self._position < end:
            data = os.pread(self._descriptor, min(_CHUNK, end - self._position), self._position)
            if not data:
                return False
            self._position += len(data)
            self._last = (self._last + data[-_REMEMBERED:])[-_REMEMBERED:]
            self._keylog.feed(data, self.path)
        return True


def _open(path: str) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", path)
    return descriptor
