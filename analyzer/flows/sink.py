"""Where bytes go: what `tcp` promises to the reader of a connection, and `udp` to the reader of a flow."""

import cython


class Sink:
    """The reader of one TCP connection's two byte streams; subclasses override what they need.

    side: 0 for the side that opened the connection (or, without a SYN, spoke first in the capture), 1 for the other.
    offset: position in the side's stream in bytes; the first byte after the SYN has offset 0.
    frame: the frame that made the bytes available (in order: the one they came in; after a hole was filled: the filling one).
    at: that frame's time in nanoseconds since 1970-01-01 UTC.
    wanted: set False by a reader that has seen enough; segments are then stepped over without reassembly, and only `peek`
        hears of them.
    """

    __slots__ = ("wanted",)

    def __init__(self) -> None:
        self.wanted = True

    def peek(self, side: cython.int, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
        """Say whether an unwanted stream becomes wanted with the segment `data[start:end]`; set `wanted` if so."""
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
        """Take the next bytes of one side, `data[start:end]`; `data` may be reused by the caller's next frame only as is."""

    def gap(
        self, side: cython.int, offset: cython.longlong, length: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Hear that `length` bytes from `offset` on are not in the capture; `frame` is the last one before the hole."""

    def conflict(
        self,
        side: cython.int,
        offset: cython.longlong,
        first: bytes,
        second: bytes,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Hear that `frame` carries other bytes for a place than an earlier frame did; `first` is what was fed."""

    def close(self, reason: str, frame: cython.longlong, at: cython.longlong) -> None:
        """Hear that nothing more comes: `fin`, `rst`, `reused`, `idle`, `evicted` or `end`."""


class DatagramSink:
    """The reader of one UDP flow's datagrams, in both directions; subclasses override what they need.

    side: 0 for the side that sent the first datagram seen, 1 for the other.
    frame: the frame that a datagram came in, of a fragmented one the frame that completed it.
    at: that frame's time in nanoseconds since 1970-01-01 UTC.
    wanted: set False by a reader that has seen enough; datagrams then pass without a call until it is True again.
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

        missing: bytes of the payload after those, which the snapshot length cut off; 0 for a whole datagram. `data` is the
        buffer that many frames lie in: whoever keeps bytes copies them out of it.
        """

    def close(self, reason: str, frame: cython.longlong, at: cython.longlong) -> None:
        """Hear that nothing more comes: `idle`, `evicted` or `end`; `frame` and `at` are those of the last datagram."""
