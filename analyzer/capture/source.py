"""Reads the bytes of a capture from a file or a pipe, plain or compressed, as chunks of decompressed bytes."""

import hashlib
import os
import select
import stat
from collections.abc import Iterator
from types import TracebackType

from analyzer.capture.decompress import MAGIC_LENGTH, compression_of, decompress

# A chunk must be so small that it fits in the processor's cache, and so large that few calls are needed.
READ_SIZE = 1 << 18

STANDARD_INPUT = "-"

QUIET = 200
"""Milliseconds after which a pipe without new bytes yields an empty chunk, so that time can go on and a stop is noticed."""

_LAST_READS = 4
"""Reads of a pipe that was told to stop, at most: they take what its writer had already put there (at most 1 MiB)."""


class Source:
    """One capture, opened by `with` and read once. The path `-` is standard input. Errors of the system are raised as OSError.

    compression: `gzip`, `zstd`, `lz4`, `xz` or None; known after the first chunk was read.
    n_bytes: bytes read so far, as stored; total: size of the file, None for a pipe. stopped: set it to end the chunks before
    the end of the file; a pipe then yields only what it already has.
    """

    def __init__(self, path: str, hashing: bool = False, limit: int | None = None) -> None:
        """hashing: compute `sha256` while reading; it takes half a second per gigabyte. limit: bytes after which a file ends,
        although it may grow further; None if it is read to its end.
        """
        self.path = path
        self._limit = limit
        self.compression: str | None = None
        self.n_bytes = 0
        self.total: int | None = None
        self.stopped = False
        self._digest = hashlib.sha256() if hashing else None
        self._descriptor = -1
        self._ended = False

    def __enter__(self) -> "Source":
        if self.path == STANDARD_INPUT:
            self._descriptor = 0
        else:
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
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
    def sha256(self) -> str | None:
        """SHA-256 of the file as stored, in hex; None if it was not requested or the file was not read to its end."""
        return self._digest.hexdigest() if self._digest is not None and self._ended else None

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
            if self._digest is not None:
                self._digest.update(data)
            yield data


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest
