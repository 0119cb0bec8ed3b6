"""Writes files into a folder. Untrusted input decides their bytes, sizes and number; this program chooses their names.

A file is written under a random name, and gets its own name when it is complete: in the folder, or in a folder in it. No name
leads out of the folder, and no link in it is followed. Nothing in it is overwritten unless that was asked for. Everything
that untrusted input can make grow has a limit. More files may be in progress at one time than the system lets one process
have open.
"""

import contextlib
import os
import re
import stat
from collections import OrderedDict
from types import TracebackType

MAX_FILES = 200_000
"""The most files of one folder. A web page has about a hundred. With more files, file systems and people become slow."""

MAX_OPEN = 64
"""The most files that are open at one time. The others are opened again for their next bytes. Systems allow 256 or more."""

TOO_LARGE = "max_size"
"""The reason why a file was truncated."""

_NAME = re.compile(r"(?:[a-z0-9_][a-z0-9._-]{0,126}/)?[a-z0-9_][a-z0-9._-]{0,126}")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MORE = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
"""File modes: data that was encrypted must not be readable for other users of the machine."""


class Part:
    """A file that is being written.

    size, sha256: of what was written. truncated: `max_size` if the file was truncated, else None. error: why nothing more
    could be written; such a file gets no name.
    """

    __slots__ = ("_digest", "_folder", "error", "number", "size", "truncated")

    def __init__(self, folder: "Folder", number: int) -> None:
        from hashlib import sha256  # which takes long to load

        self._folder = folder
        self._digest = sha256()
        self.number = number
        self.size = 0
        self.truncated: str | None = None
        self.error: OSError | None = None

    def write(self, data: bytes) -> None:
        """Write the next bytes, as far as the limit allows. Does not raise OSError."""
        if self.error is not None or self.truncated is not None:
            return
        room = self._folder.room
        if len(data) > room:
            self.truncated = TOO_LARGE
            self._folder.n_truncated += 1
            data = data[:room]
            if not data:
                return
        try:
            self._folder.append(self.number, data)
        except OSError as error:
            self.error = error
            return
        self._folder.room -= len(data)
        self.size += len(data)
        self._digest.update(data)

    def finish(self, name: str) -> bool:
        """Give the file its name. Return False if that failed, or if writing failed; the error is then in `Folder.failures`.

        A file for which there was no room at all gets no name either.
        """
        return self._folder.keep(self, name)

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written, in hex."""
        return self._digest.hexdigest()


class Folder:
    """A folder to write to, opened by `with`.

    room: bytes that may still be written. failures: names of files that could not be written, and why. n_truncated: how many
    files were truncated because of the room. n_refused: how many files were not begun because there were MAX_FILES already.
    """

    def __init__(self, path: str, room: int, force: bool = False) -> None:
        """force: accept a folder that is not empty, and replace files in it. Raises OSError; FileExistsError if not empty."""
        from secrets import token_hex  # which imports much

        self.path = path
        self.room = room
        self.failures: list[tuple[str, OSError]] = []
        self.n_truncated = 0
        self.n_refused = 0
        self._n_parts = 0
        self._token = token_hex(8)
        self._open: OrderedDict[int, int] = OrderedDict()
        self._begun: set[int] = set()
        with contextlib.suppress(FileExistsError):
            os.makedirs(path, PRIVATE_FOLDER)
        self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with os.scandir(self._descriptor) as entries:
            occupied = next(entries, None) is not None
        if occupied and not force:
            os.close(self._descriptor)
            raise FileExistsError(17, "the folder is not empty", path)

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        for number in list(self._begun):
            self._discard(number)
        os.close(self._descriptor)

    def begin(self) -> Part | None:
        """Begin a new file. Return None if there are too many files."""
        if self._n_parts >= MAX_FILES:
            self.n_refused += 1
            return None
        return self.begin_needed()

    def begin_needed(self) -> Part:
        """Begin a new file, even if there are too many files."""
        self._n_parts += 1
        return Part(self, self._n_parts)

    def append(self, number: int, data: bytes) -> None:
        """Write to a part. Raises OSError."""
        descriptor = self._open.get(number)
        if descriptor is None:
            if len(self._open) >= MAX_OPEN:
                os.close(self._open.popitem(last=False)[1])
            flags = _MORE if number in self._begun else _NEW
            descriptor = os.open(self._name(number), flags, PRIVATE_FILE, dir_fd=self._descriptor)
            self._open[number] = descriptor
            self._begun.add(number)
        else:
            self._open.move_to_end(number)
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def keep(self, part: Part, name: str) -> bool:
        """Give a part its name: lower-case letters, digits, dots, dashes and underscores; `folder/name` for one in a folder.

        See `Part.finish`. Raises ValueError for another name.
        """
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"{name!r} is no name of ours")
        error = part.error
        if part.truncated is not None and part.size == 0:
            return False
        if error is None:
            try:
                if part.number not in self._begun:
                    self.append(part.number, b"")
                self._close(part.number)
                self._rename(part.number, name)
            except OSError as raised:
                error = raised
        if error is None:
            self._begun.discard(part.number)
            return True
        self.failures.append((name, error))
        self.room += part.size
        self._discard(part.number)
        return False

    def has(self, name: str) -> bool:
        """Return whether a file of this name is there."""
        try:
            return stat.S_ISREG(os.stat(name, dir_fd=self._descriptor, follow_symlinks=False).st_mode)
        except OSError:
            return False

    def remove(self, name: str, error: OSError) -> None:
        """Remove a file of this folder that could not be listed in the manifest. Raises OSError."""
        self.failures.append((name, error))
        os.unlink(name, dir_fd=self._descriptor)

    def _rename(self, number: int, name: str) -> None:
        """Give a part its name. A link of that name is replaced, not followed; nor is one in the place of a folder."""
        folder, _, last = name.rpartition("/")
        if not folder:
            os.rename(self._name(number), last, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
            return
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, PRIVATE_FOLDER, dir_fd=self._descriptor)
        inside = os.open(folder, _FOLDER, dir_fd=self._descriptor)
        try:
            os.rename(self._name(number), last, src_dir_fd=self._descriptor, dst_dir_fd=inside)
        finally:
            os.close(inside)

    def _close(self, number: int) -> None:
        descriptor = self._open.pop(number, None)
        if descriptor is not None:
            os.close(descriptor)

    def _discard(self, number: int) -> None:
        self._close(number)
        if number in self._begun:
            self._begun.discard(number)
            with contextlib.suppress(OSError):  # another program has removed it, or the folder
                os.unlink(self._name(number), dir_fd=self._descriptor)

    def _name(self, number: int) -> str:
        return f".{self._token}-{number}.part"
