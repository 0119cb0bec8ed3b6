"""What a first reading keeps of HTTP without TLS for filters: frames of HTTP/2 and WebSocket, and messages of OCSP.

The engine gives the bytes of such connections to a watcher, and to nobody frame by frame. So the fields are found here, in the
first reading, and kept by the number of the frame. A hostile capture can make them many, so `MAX_OCCURRENCES` bounds them;
of OCSP `MAX_MESSAGE` and `MAX_HELD` bound the bytes, and of bodies `MAX_BODIES`. What is over a limit has no fields.
"""

from collections.abc import Callable

from analyzer.application import http2_frames as frames
from analyzer.application.exchange import CLIENT, Exchange
from analyzer.filters.decrypted_streams import MAX_SESSIONS, StreamReader
from analyzer.filters.file_data_reader import FileDataReader, HeldBodies
from analyzer.filters.frame_view import Found

MAX_OCCURRENCES = 1 << 20
"""Occurrences of fields that are kept, some 200 MiB; that of 80,000 frames of HTTP/2."""

MAX_MESSAGE = 1 << 16
"""Longest message of OCSP, in bytes. Responses have some 2,000."""

MAX_HELD = 1 << 25
"""Bytes of all messages of OCSP that are kept."""

MAX_BODIES = 1 << 28
"""Bytes of all bodies that are kept, where they are wanted."""

_KINDS = {"application/ocsp-request": False, "application/ocsp-response": True}
"""The media types of OCSP (RFC 6960 appendix A), and whether each is that of a response."""


class PlainStreams:
    """The watcher (`plain_http.HttpWatcher`) of a first reading.

    found: the fields of HTTP/2 and WebSocket, and bodies if `keeps_bodies`, by the frame that completes them. messages: those
    of OCSP by exchange and side.
    """

    def __init__(self, begin_http2: Callable[[], StreamReader], begin_other: Callable[[], StreamReader]) -> None:
        """begin_http2, begin_other: make the reader of a connection that begins with the preface of HTTP/2, or otherwise."""
        self.found: dict[int, Found] = {}
        self._begin_http2 = begin_http2
        self._begin_other = begin_other
        self.keeps_bodies = False
        self._n_bodies = 0
        self._unfinished = HeldBodies()
        self._readers: dict[object, StreamReader] = {}
        self._body_readers: dict[object, FileDataReader] = {}
        self._last_frames: dict[object, int] = {}
        self._left = MAX_OCCURRENCES
        self._bodies: dict[tuple[int, int], bytearray] = {}
        self._held = 0

    def take_body(self, exchange: Exchange, side: int, data: bytes, frame: int, at: int) -> None:
        """See `HttpWatcher.take_body`."""
        if kind_of(exchange, side) is None or self._held + len(data) > MAX_HELD:
            return
        body = self._bodies.setdefault((id(exchange), side), bytearray())
        if len(body) <= MAX_MESSAGE:
            body += data
            self._held += len(data)

    def message(self, exchange: Exchange, side: int) -> bytes | None:
        """Return the message of OCSP that an exchange carried on a side, and forget it; None without one."""
        body = self._bodies.pop((id(exchange), side), None)
        return bytes(body) if body is not None and len(body) <= MAX_MESSAGE else None

    def take_data(self, stream: object, role: int, data: bytes, frame: int) -> None:
        """See `HttpWatcher.take_data`."""
        if role == CLIENT and data.startswith(frames.PREFACE):
            self._readers[stream] = self._begin_http2()
        elif stream not in self._readers:
            self._readers[stream] = self._begin_other()
        if len(self._readers) > MAX_SESSIONS:
            del self._readers[next(iter(self._readers))]
        new: Found = {}
        self._readers[stream].feed(role, data, new)
        if self.keeps_bodies and self._n_bodies <= MAX_BODIES:
            self._feed_body(stream, role, data, new)
        if self.keeps_bodies:
            self._last_frames[stream] = frame
        self._keep(new, frame)

    def _keep(self, new: Found, frame: int) -> None:
        if not new:
            return
        self._n_bodies += sum(len(one.raw or b"") for one in new.get("http.file_data", ()))
        self._left -= sum(map(len, new.values()))
        if self._left < 0:
            return
        known = self.found.setdefault(frame, {})
        for name, some in new.items():
            known.setdefault(name, []).extend(some)

    def _feed_body(self, stream: object, role: int, data: bytes, new: Found) -> None:
        reader = self._body_readers.get(stream)
        if reader is None:
            reader = self._body_readers[stream] = FileDataReader(self._unfinished, "http")
        reader.feed(role, data, new)
        if len(self._body_readers) > MAX_SESSIONS:
            self._body_readers.pop(next(iter(self._body_readers))).drop()

    def take_gap(self, stream: object, role: int) -> None:
        """See `HttpWatcher.take_gap`."""
        if stream in self._readers:
            self._readers[stream].gap(role)
        if stream in self._body_readers:
            self._body_readers[stream].gap(role)

    def end(self, stream: object, finished: bool) -> None:
        """See `HttpWatcher.end`."""
        self._readers.pop(stream, None)
        reader = self._body_readers.pop(stream, None)
        frame = self._last_frames.pop(stream, 0)
        if reader is not None and finished and self._n_bodies <= MAX_BODIES:
            new: Found = {}
            reader.end(new)
            self._keep(new, frame)
        if reader is not None:
            reader.drop()


def kind_of(exchange: Exchange, side: int) -> bool | None:
    """Return whether a message of an exchange is a response of OCSP; False for a request of OCSP, None for anything else."""
    message = exchange.request if side == CLIENT else exchange.response
    for name, value in (message.headers or ()) if message is not None else ():
        if name.lower() == "content-type":
            return _KINDS.get(value.partition(";")[0].strip().lower())
    return None
