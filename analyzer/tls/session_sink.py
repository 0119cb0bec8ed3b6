"""What the two streams of a connection tell the session in them, or who stands for it in this process.

This module is compiled (see setup.cfg) and runs the same uncompiled.
"""

import cython

from analyzer.tls.records import RecordReader, RecordSink


class SessionSink(RecordSink):
    """Hears one connection. readers: of each side's records, which end up here. version: as negotiated, 0 before that is known.

    mid_stream: whether the capture lacks the beginning. kept: bytes of memory that are kept.
    """

    __slots__ = ("kept", "mid_stream", "readers", "version")

    readers: list[RecordReader]
    version: int
    mid_stream: bool
    kept: int

    def lacks(self, side: cython.int, offset: cython.longlong, length: cython.longlong, frame: cython.longlong) -> None:
        """Hear that bytes of a side are not in the capture; `frame` is the last one before the hole."""

    def gap(
        self, side: cython.int, offset: cython.longlong, length: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """As `lacks`, where the side's records had begun."""
        self.lacks(side, offset, length, frame)
        reader: RecordReader = self.readers[side]
        reader.gap(length, frame, at)

    def conflict(self, side: cython.int, offset: cython.longlong, first: bytes, second: bytes, frame: cython.longlong) -> None:
        """Hear that two segments disagree; the first is what was read."""

    def finish(self, reason: str, frame: cython.longlong, at: cython.longlong) -> None:
        """Hear that the connection has ended."""
