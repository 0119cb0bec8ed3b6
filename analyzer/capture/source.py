"""Reads the bytes of a capture from a file or a pipe, plain or compressed, as chunks of decompressed bytes.

Captures may be evidence. They are opened for reading only, and where the system allows it (the owner of the file, or root, on
Linux), so that reading them does not change their access time (O_NOATIME of open(2)). Digests are computed of the very bytes
that are read.
"""

import os
import select
import stat
from collections.abc import Collection, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from analyzer.capture.decompress import MAGIC_LENGTH, compression_of, decompress

if TYPE_CHECKING:
    import hashlib

# A chunk must be so small that it fits in the processor's cache, and so large that few calls are needed.
READ_SIZE = 1 << 18

STANDARD_INPUT = "-"

QUIET = 200
"""Milliseconds after which a pipe without new bytes yields an empty chunk, so that time can go on and a stop is noticed."""

_LAST_READS = 4
"""Reads of a pipe that was told to stop, at most: they take what its writer had already put there (at most 1 MiB)."""


DIGESTS = ("sha256", "sha512", "blake2b")
"""Digests that can be computed while reading: SHA-256 and SHA-512 (FIPS 180-4), and BLAKE2b with 64 bytes (RFC 7693)."""

Hashing = bool | Collection[str]
"""Which digests are wanted: none, SHA-256 (True), or SHA-256 and those that are named."""


class Source:
    """One capture, opened by `with` and read once. The path `-` is standard input. Errors of the system are raised as OSError.

    compression: `gzip`, `zstd`, `lz4`, `xz`, `bzip2` or None; known after the first chunk was read.
    n_bytes: bytes read so far, as stored; total: size of the file, None for a pipe. stopped: set it to end the chunks before
    the end of the file; a pipe then yields only what it already has.
    """

    def __init__(self, path: str, hashing: Hashing = False, limit: int | None = None) -> None:
        """hashing: compute `digests` while reading; each takes from half a second to two seconds per gigabyte. limit: bytes
        after which a file ends, although it may grow further; None if it is read to its end.

        Raises ValueError for a digest that is not in DIGESTS.
        """
        self.path = path
        self._limit = limit
        self.compression: str | None = None
        self.n_bytes = 0
        self.total: int | None = None
        self.stopped = False
        self._digests = _digests(names_of_digests(hashing))
        self._descriptor = -1
        self._ended = False

    def __enter__(self) -> "Source":
        if self.path == STANDARD_INPUT:
            self._descriptor = 0
        else:
            self._descriptor, _ = open_read_only(self.path)
        status = os.fstat(self._descriptor)
        if stat.S_ISREG(status.st_mode):
            self.total = status.st_size
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        if self.path != STANDARD_INPUT:
            os.close(self._descriptor)
        self._descriptor = -1

    @property
    def size(self) -> int:
        """Size of the file as stored, in bytes. For a pipe that was not read to its end: the bytes that were read."""
        return self.n_bytes if self._ended or self.total is None else self.total

    @property
    def digests(self) -> dict[str, str]:
        """The digests of the file as stored, in hex, by name; empty if none was requested, or the end was not reached."""
        return {digest.name: digest.hexdigest() for digest in self._digests} if self._ended else {}

    def chunks(self) -> Iterator[bytes]:
        """Yield the decompressed bytes, at most 1 MiB at a time. From a pipe, yield what is available; do not wait for more.

        A pipe in which nothing comes yields no bytes (`b""`) every QUIET milliseconds, unless it is compressed.

        Raise Malformed or Incomplete for damaged compression, after all readable bytes. Its offset is in the file as stored.
        """
        stored = self._stored()
        head = b""
        while len(head) < MAGIC_LENGTH:
            data = next(stored, None)
            if data is None:
                break
            head += data
            if not data:
                yield b""
        if not head:
            return
        self.compression = compression_of(head)
        if self.compression is None:
            yield head
            yield from stored
        else:
            yield from decompress(self.compression, _chain(head, filter(None, stored)))

    def drain(self) -> None:
        """Read the rest of the file. Only the hash needs it."""
        for _ in self._stored():
            pass

    def _stored(self) -> Iterator[bytes]:
        pipe = None
        if self.total is None:
            pipe = select.poll()
            pipe.register(self._descriptor, select.POLLIN)
        left = _LAST_READS
        while not self.stopped or (pipe is not None and left > 0 and pipe.poll(0)):
            if self.stopped:
                left -= 1
            elif pipe is not None and not pipe.poll(QUIET):
                yield b""
                continue
            data = os.read(self._descriptor, READ_SIZE if self._limit is None else min(READ_SIZE, self._limit - self.n_bytes))
            if not data:
                self._ended = True
                return
            self.n_bytes += len(data)
            for digest in self._digests:
                digest.update(data)
            yield data


def _digests(names: Sequence[str]) -> "list[hashlib._Hash]":
    if not names:
        return []
    import hashlib  # which takes long to load

    return [hashlib.new(name) for name in names]


def names_of_digests(hashing: Hashing) -> tuple[str, ...]:
    """Return the names of the digests that are wanted, in the order of DIGESTS.

    Raises ValueError for one that is not in DIGESTS.
    """
    if isinstance(hashing, bool):
        return DIGESTS[:1] if hashing else ()
    for name in hashing:
        if name not in DIGESTS:
            raise ValueError(f"{name!r} is no digest: say {', '.join(DIGESTS)}")
    return tuple(name for name in DIGESTS if name in hashing or (name == DIGESTS[0] and hashing))


def open_read_only(path: str) -> tuple[int, bool]:
    """Open a file for reading only. Return its descriptor, and whether reading leaves its access time as it is (open(2)).

    Raises OSError.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC
    quiet = getattr(os, "O_NOATIME", 0)
    if quiet:
        try:
            return os.open(path, flags | quiet), True
        except PermissionError:  # it is for the owner and root only; who may not read at all is told below
            return os.open(path, flags), False
    return os.open(path, flags), False


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest
