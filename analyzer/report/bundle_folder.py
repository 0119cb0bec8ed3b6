"""Reads a bundle that may be hostile: its list of files, and their bytes, without ever leaving the folder.

A manifest can name anything, and a folder can have links, devices and pipes. So only names without a separator are opened, and
names in a folder of this folder, below the folder's own descriptor; a link is not followed; what is no regular file is not
read. Sizes are looked at first.
"""

import hashlib
import os
import stat
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

MOST_FILES = 250_000
"""Entries of a folder that are listed, at most; `export` writes 200,000."""

LARGEST_FILE = 1 << 36
"""Bytes of one file that is hashed, at most."""

Result = TypeVar("Result")

_CHUNK = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FolderError(Exception):
    """A file or the folder cannot be read. The text says why, and does not have the name."""


class BundleFolder:
    """A folder to read, opened by `with`.

    names: what is in it, in the order of names. kinds: for entries that are no regular files, what they are. After `descend`,
    the content of a folder in it stands in its place, as `folder/name`.
    """

    def __init__(self, path: str) -> None:
        """Raises OSError; FolderError for too many files."""
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.names: list[str] = []
        self.kinds: dict[str, str] = {}
        try:
            self._list(self._descriptor)
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> "BundleFolder":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        os.close(self._descriptor)

    def descend(self) -> None:
        """List what is in the folders of this folder. An empty one stays. Raises OSError; FolderError for too many files."""
        for name in [name for name in self.names if self.kinds.get(name) == "folder"]:
            inside = os.open(name, _FOLDER, dir_fd=self._descriptor)
            try:
                n_before = len(self.names)
                self._list(inside, f"{name}/")
            finally:
                os.close(inside)
            if len(self.names) > n_before:
                self.names.remove(name)
                del self.kinds[name]
        self.names.sort()

    def size(self, name: str) -> int:
        """Return the bytes of a file. Raises FolderError."""
        return self._with(name, lambda descriptor: os.fstat(descriptor).st_size)

    def read(self, name: str, limit: int) -> bytes:
        """Return the content of a file. Raises FolderError, also if it has more bytes than the limit."""

        def read(descriptor: int) -> bytes:
            if os.fstat(descriptor).st_size > limit:
                raise FolderError(f"it has more than {limit:,} bytes")
            chunks = []
            room = limit + 1
            while room and (chunk := os.read(descriptor, min(room, _CHUNK))):
                chunks.append(chunk)
                room -= len(chunk)
            if not room:
                raise FolderError(f"it has more than {limit:,} bytes")
            return b"".join(chunks)

        return self._with(name, read)

    def read_head(self, name: str, n_bytes: int) -> bytes:
        """Return the first bytes of a file. Raises FolderError."""
        return self._with(name, lambda descriptor: os.read(descriptor, n_bytes))

    def sha256(self, name: str) -> tuple[int, str]:
        """Return the size and SHA-256 (hex) of a file, from the same reading. Raises FolderError."""

        def digest(descriptor: int) -> tuple[int, str]:
            if os.fstat(descriptor).st_size > LARGEST_FILE:
                raise FolderError(f"it has more than {LARGEST_FILE:,} bytes")
            found = hashlib.sha256()
            size = 0
            while size <= LARGEST_FILE and (chunk := os.read(descriptor, _CHUNK)):
                found.update(chunk)
                size += len(chunk)
            return size, found.hexdigest()

        return self._with(name, digest)

    def _list(self, descriptor: int, prefix: str = "") -> None:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if len(self.names) >= MOST_FILES:
                    raise FolderError(f"the folder has more than {MOST_FILES:,} entries")
                name = prefix + entry.name
                self.names.append(name)
                if not entry.is_file(follow_symlinks=False):
                    self.kinds[name] = _kind(entry)
        self.names.sort()

    def _open(self, name: str) -> int:
        folder, slash, last = name.partition("/")
        if not slash:
            return os.open(name, _READ, dir_fd=self._descriptor)
        inside = os.open(folder, _FOLDER, dir_fd=self._descriptor)
        try:
            return os.open(last, _READ, dir_fd=inside)
        finally:
            os.close(inside)

    def _with(self, name: str, use: Callable[[int], Result]) -> Result:
        if not is_inside(name):
            raise FolderError("this is no name of a file in a folder")
        try:
            descriptor = self._open(name)
        except FileNotFoundError as error:
            raise FolderError("it is missing") from error
        except OSError as error:
            kind = self.kinds.get(name)
            raise FolderError(error.strerror or str(error) if kind is None else f"it is a {kind}") from error
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FolderError("it is no regular file")
            return use(descriptor)
        except OSError as error:
            raise FolderError(error.strerror or str(error)) from error
        finally:
            os.close(descriptor)


def is_inside(name: str) -> bool:
    """Return whether a name is that of an entry of a folder, or of an entry of a folder in it."""
    folder, slash, last = name.partition("/")
    return is_plain(folder) and (not slash or is_plain(last))


def is_plain(name: str) -> bool:
    """Return whether a name is that of an entry of a folder, and leads nowhere else."""
    try:
        os.fsencode(name)
    except UnicodeEncodeError:  # half a character, which JSON can have
        return False
    return bool(name) and name not in (".", "..") and "/" not in name and "\\" not in name and "\0" not in name


def _kind(entry: "os.DirEntry[str]") -> str:
    if entry.is_symlink():
        return "link"
    return "folder" if entry.is_dir(follow_symlinks=False) else "special file"
