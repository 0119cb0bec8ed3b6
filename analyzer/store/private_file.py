"""Writes a file that only its owner may read. The file appears complete or not at all."""

import contextlib
import errno
import os
from types import TracebackType
from typing import BinaryIO

from analyzer.store.folder import PRIVATE_FILE

FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
"""Error numbers when nothing more can be written: no room on the disk, for this user, or in one file."""

_BUFFER = 1 << 20


class PrivateFile:
    """A file to write, opened by `with`. It gets its name when the block ends without an error.

    A file that has this name already is replaced. A link is not followed.
    """

    def __init__(self, path: str, force: bool = False) -> None:
        """force: replace an existing file. Raises FileExistsError, IsADirectoryError, OSError for a device or a pipe."""
        self.path = path
        if os.path.isdir(path):
            raise IsADirectoryError(21, os.strerror(21), path)
        if os.path.exists(path) and not os.path.isfile(path):  # the superuser would replace the device with a file
            raise OSError(22, "not a regular file", path)
        if os.path.lexists(path) and not force:
            raise FileExistsError(17, os.strerror(17), path)
        from secrets import token_hex  # which imports much

        folder = os.path.dirname(path)
        self._part = os.path.join(folder, f".{token_hex(8)}.part")
        self._file: BinaryIO | None = None

    def __enter__(self) -> BinaryIO:
        """Raises OSError with the name of the file."""
        try:
            descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)
        except OSError as error:
            raise type(error)(error.errno, error.strerror, self.path) from error
        self._file = open(descriptor, "wb", _BUFFER)
        return self._file

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        """Raises OSError with the name of the file if there is no room for it."""
        try:
            try:
                if self._file is not None:
                    self._file.close()
            except OSError as error:
                raise OSError(error.errno, error.strerror, self.path) from error
            if kind is None:
                os.rename(self._part, self.path)
        finally:
            with contextlib.suppress(FileNotFoundError):  # it was renamed
                os.unlink(self._part)
