"""Where a capture's bytes come from: a file or a pipe, plain or compressed, in chunks of decompressed bytes."""

import hashlib
import os
import stat
from collections.abc import Iterator
from types import TracebackType

from analyzer.capture.decompress import MAGIC_LENGTH, compression_of, decompress

# Small enough that a chunk is still in the processor's cache when its end is read, large enough for few calls.
READ_SIZE = 1 << 18

STANDARD_INPUT = "-"


class Source:
    """One capture, opened by `with` and read once; `-` is standard input. What the system refuses is raised as OSError.

    compression: `gzip`, `zstd`, `lz4`, `xz` or None; known once the first chunk was read.
    n_bytes: bytes read so far, as they are stored; total: how many there are, None for a pipe.
    """

    def __init__(self, path: str, hashing: bool = False) -> None:
        """hashing: compute `sha256` while reading; it costs half a second a gigabyte."""
        self.path = path
        self.compression: str | None = None
        self.n_bytes = 0
        self.total: int | None = None
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
        """Bytes of the file as stored; of a pipe that was not read to its end, those that were read."""
        return self.n_bytes if self._ended or self.total is None else self.total

    @property
    def sha256(self) -> str | None:
        """SHA-256 of the file as it is stored, in hex; None when it was not asked for or the file was not read to its end."""
        return self._digest.hexdigest() if self._digest is not None and self._ended else None

    def chunks(self) -> Iterator[bytes]:
        """The decompressed bytes, at most 1 MiB at a time; of a pipe, what is there, without waiting for more.

        Raises Malformed or Incomplete for damaged compression, at an offset in the file as stored, after all that was readable.
        """
        stored = self._stored()
        head = b""
        while len(head) < MAGIC_LENGTH:
            data = next(stored, None)
            if data is None:
                break
            head += data
        if not head:
            return
        self.compression = compression_of(head)
        if self.compression is None:
            yield head
            yield from stored
        else:
            yield from decompress(self.compression, _chain(head, stored))

    def drain(self) -> None:
        """Read to the end what nobody wants but the hash."""
        for _ in self._stored():
            pass

    def _stored(self) -> Iterator[bytes]:
        while data := os.read(self._descriptor, READ_SIZE):
            self.n_bytes += len(data)
            if self._digest is not None:
                self._digest.update(data)
            yield data
        self._ended = True


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest
