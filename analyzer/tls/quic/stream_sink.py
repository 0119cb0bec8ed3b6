"""The interface of a reader of streams: what an application is told of the streams of a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import cython


class StreamSink:
    """Takes the bytes of streams. Readers that derive from this class are called for each packet at the price of a C function;
    any other object with these methods is a reader too.
    """

    __slots__ = ()

    def feed_stream(
        self,
        stream: cython.longlong,
        role: cython.int,
        data: bytes,
        end: cython.bint,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take the next bytes of one role in a stream. end: whether they are the last; then there may be none."""
