"""A file that ends with a whole block at each moment, also when the program is killed or the disk is full.

Blocks wait in memory until `flush`, which writes only whole ones. If the disk takes only a part of them, the part is cut off
again (ftruncate(2)). So what was flushed stays readable to its last byte.
"""

import os

from analyzer.store.folder import PRIVATE_FILE

_PUBLIC_FILE = 0o666
"""The mode of files that hold nothing more than the wire did; the umask of the user takes its part away."""

_PIECE = 1 << 16
"""Bytes of one system call, at least: a process that is killed does not stop within a small write to a local disk."""


class BlockFile:
    """A new file for blocks. A file that has this name already is replaced; a link is not followed.

    path: its name. size: bytes of all blocks so far, written or not.
    """

    def __init__(self, path: str, private: bool = False) -> None:
        """private: only its owner may read it. Raises OSError."""
        self.path = path
        self.size = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, PRIVATE_FILE if private else _PUBLIC_FILE)
        if private:
            os.fchmod(self._descriptor, PRIVATE_FILE)
        self._written = 0
        self._waiting: list[bytes] = []
        self._n_waiting = 0

    @property
    def n_waiting(self) -> int:
        """Bytes that are not written yet."""
        return self._n_waiting

    def write(self, block: bytes) -> int:
        """Take one whole block, or several. Return its length, as a file does."""
        self._waiting.append(block)
        self._n_waiting += len(block)
        self.size += len(block)
        return len(block)

    def flush(self) -> None:
        """Write the blocks that wait. Raises OSError; then the file ends with the last block that was written whole."""
        blocks, self._waiting, self._n_waiting = self._waiting, [], 0
        piece: list[bytes] = []
        n_bytes = 0
        for block in blocks:
            piece.append(block)
            n_bytes += len(block)
            if n_bytes >= _PIECE:
                self._write(b"".join(piece))
                piece, n_bytes = [], 0
        if piece:
            self._write(b"".join(piece))

    def overwrite(self, offset: int, data: bytes) -> None:
        """Write over bytes inside a block that was flushed. The length of the block stays. Raises OSError."""
        os.pwrite(self._descriptor, data, offset)

    def close(self) -> None:
        """Close the file. What still waits is not written."""
        os.close(self._descriptor)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            os.ftruncate(self._descriptor, self._written)
            self.size = self._written
            raise OSError(error.errno, error.strerror, self.path) from error
        self._written += len(data)
