"""The interface of readers: how `tcp` calls the reader of a connection, and `udp` the reader of a flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import cython


class Sink:
    """The reader of one TCP connection's two byte streams; subclasses override what they need.

    side: 0 for the side that opened the connection (without a SYN: the first sender in the capture), 1 for the other side.
    offset: position in the side's stream in bytes; the first byte after the SYN has offset 0.
    frame: the frame that made the bytes available: the one that contains them, or the one that filled the hole before them.
    at: that frame's time in nanoseconds since 1970-01-01 UTC.
    wanted: a reader that needs no more bytes sets it to False. Segments are then skipped without reassembly, and only `peek` is
        called for them.
    """

    __slots__ = ("wanted",)

    def __init__(self) -> None:
        self.wanted = True

    def peek(self, side: cython.int, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
        """Return whether an unwanted stream becomes wanted with the segment `data[start:end]`. If so, set `wanted`."""
        return False

    def feed(
        self,
        side: cython.int,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        offset: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take the next bytes of one side, `data[start:end]`. `data` may contain other frames too. It is never changed."""

    def gap(
        self, side: cython.int, offset: cython.longlong, length: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Take a gap: `length` bytes from `offset` on are not in the capture. frame: the last one before the gap."""

    def conflict(
        self,
        side: cython.int,
        offset: cython.longlong,
        first: bytes,
        second: bytes,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take a conflict: `frame` has other bytes at `offset` than an earlier frame.

        first: the earlier bytes, which are those that `feed` gets. second: the other bytes.
        """

    def doubt(
        self,
        side: cython.int,
        kind: str,
        offset: cython.longlong,
        data: bytes,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take a segment, in `frame`, that the side has not sent, or that no receiver reads.

        kind: `syn`, `rst` or `fin` for one after which the stream went on as if it had not come; `beyond` for `data` at
        `offset`, behind the end of the stream; `fragments` for IP fragments of the segment that have different bytes at one
        place, of which `data` are those that came second.
        """

    def close(self, reason: str, frame: cython.longlong, at: cython.longlong) -> None:
        """End the streams. reason: `fin`, `rst`, `reused`, `idle`, `evicted` or `end`."""


class DatagramSink:
    """The reader of one UDP flow's datagrams, in both directions; subclasses override what they need.

    side: 0 for the side that sent the first datagram seen, 1 for the other side.
    frame: the frame that contains the datagram; for a fragmented datagram, the frame that completed it.
    at: that frame's time in nanoseconds since 1970-01-01 UTC.
    wanted: a reader that needs no more datagrams sets it to False. There is no call for datagrams until it is True again.
    """

    __slots__ = ("wanted",)

    def __init__(self) -> None:
        self.wanted = True

    def feed(
        self,
        side: cython.int,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        missing: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take one datagram's payload, `data[start:end]`, which may be empty.

        missing: bytes of the payload after those that the snapshot length removed; 0 for a complete datagram. `data` is a
        buffer with many frames: to keep bytes, copy them.
        """

    def take_error(self, error: Any) -> None:
        """Take an ICMP error about a datagram of this flow (`path_errors.PathError`)."""

    def close(self, reason: str, frame: cython.longlong, at: cython.longlong) -> None:
        """End the flow. reason: `idle`, `evicted` or `end`. frame, at: those of the last datagram."""
