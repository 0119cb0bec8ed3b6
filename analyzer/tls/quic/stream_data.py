"""Passes the data of a connection's streams, in order, to the reader of the application (RFC 9000 section 2).

Each stream has a direction or two. The reader gets the bytes of each direction in order; where bytes do not come, because the
capture lacks them, the hole is given up and reported. Early data waits until the server has said whether it accepts it: what it
rejects, the client sends again from the beginning of each stream (RFC 9001 section 4.6.2).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from analyzer.secrets.decryption_error import MISSING_SEGMENT
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.events import Data, DataBegan, DataMissing
from analyzer.tls.quic.packet_numbers import PacketNumbers
from analyzer.tls.quic.stream_reassembly import Reassembly
from analyzer.tls.quic.stream_sink import StreamSink
from analyzer.tls.session_log import SessionLog

if TYPE_CHECKING:
    import cython

MAX_STREAMS = 16384
"""Directions of streams that are open at a time. Of those that are over, only the numbers are kept, as ranges."""

MAX_WAITING_TOTAL = 32 << 20
"""Bytes behind holes in all streams of a connection."""

MAX_EARLY = 1 << 20
"""Bytes of early data that wait for the server's answer."""

FRAME_COST = 256
"""Bytes of memory that a frame of early data needs beside its own."""

_LIMITS = {"bidi_local": 0x05, "bidi_remote": 0x06, "uni": 0x07}
"""The transport parameters `initial_max_stream_data_…` (RFC 9000 section 18.2)."""

STREAM, RESET, STOP, DATAGRAM = 0, 1, 2, 3
"""The kinds of frames that carry application data, or end it."""

_STREAM, _RESET, _STOP, _MAX_STREAMS, _MAX_WAITING_TOTAL = STREAM, RESET, STOP, MAX_STREAMS, MAX_WAITING_TOTAL


class StreamData:
    """The streams of one connection.

    decryption: counts the data. alpn: the agreed protocol. directions: by stream number and role, the reassembly of what that
    role sends, until it is over; latest: that of the last frame, and latest_key its key, -1 without one. over: by type of
    stream and role, those that are over. parameters: the transport parameters of each role. waiting: bytes behind holes.
    early, n_early: frames of early data that wait for the server's answer, and their bytes. broken: whether a stream lacks
    bytes; limited: whether some were given up because more waited for them than is kept. reader: of the application, None if
    there is none; direct: the same if it is a `StreamSink`; asked: whether it was asked for.
    """

    __slots__ = (
        "alpn", "asked", "broken", "decryption", "direct", "directions", "early", "latest", "latest_key", "limited", "log",
        "n_early", "over", "parameters", "reader", "waiting",
    )  # fmt: skip

    def __init__(self, decryption: Decryption, log: SessionLog) -> None:
        self.decryption = decryption
        self.log = log
        self.alpn: bytes | None = None
        self.directions: dict[int, Reassembly] = {}
        self.over = [PacketNumbers() for _ in range(8)]
        self.waiting = 0
        self.early: list[tuple[int, int, int, bytes, bool, int, int]] = []
        self.n_early = 0
        self.broken = False
        self.limited = False
        self.parameters: list[Any] = [None, None]
        self.latest: Reassembly | None = None
        self.latest_key = -1
        self.asked = False
        self.reader: Any = None
        self.direct: StreamSink | None = None

    def hold(
        self, kind: cython.int, stream: cython.longlong, offset: cython.longlong, data: bytes, end: cython.bint,
        frame: cython.longlong, at: cython.longlong,
    ) -> None:  # fmt: skip
        """Keep a frame of early data until the server has answered."""
        self.n_early += len(data) + FRAME_COST
        if self.n_early <= MAX_EARLY:
            self.early.append((kind, stream, offset, data, end, frame, at))

    def settle_early(self, accepted: cython.bint) -> None:
        """Take the server's answer to early data, or accept it where the answer is not seen: it is what the client asked."""
        early, self.early = self.early, []
        if accepted:
            for kind, stream, offset, data, end, frame, at in early:
                self.take(kind, 0, stream, offset, data, end, frame, at)
        elif early:
            n_bytes = sum([len(data) for _, _, _, data, _, _, _ in early])
            detail = f"the server rejected the client's early data, {n_bytes} bytes: no answer of this session belongs to it"
            self.log.add_finding("early_data_rejected", "info", detail, early[0][5])

    def take(
        self, kind: cython.int, role: cython.int, stream: cython.longlong, offset: cython.longlong, data: bytes,
        end: cython.bint, frame: cython.longlong, at: cython.longlong,
    ) -> None:  # fmt: skip
        """Take a frame of a role. offset: of its bytes in the stream, or the code of RESET and STOP."""
        if kind == _STREAM:
            self.take_stream(role, stream, offset, data, end, frame, at)
            return
        self.ask()
        reader = self.reader
        if kind in (_RESET, _STOP):
            if kind == _RESET:
                self.end(2 * stream + role)
                self.count(role, b"", stream, False, offset, frame, at)
            if reader is not None:
                (reader.reset_stream if kind == _RESET else reader.stop_stream)(stream, role, offset, frame, at)
            return
        self.count(role, data, -1, False, -1, frame, at)
        if reader is not None:
            reader.feed_datagram(role, data, frame, at)

    def take_stream(
        self, role: cython.int, stream: cython.longlong, offset: cython.longlong, data: bytes, end: cython.bint,
        frame: cython.longlong, at: cython.longlong,
    ) -> None:  # fmt: skip
        """Take bytes of a stream, and pass on what is now in order."""
        key: cython.longlong = 2 * stream + role
        direction: Reassembly
        if key == self.latest_key:
            direction = self.latest  # type: ignore[assignment]
        elif key in self.directions:
            direction = self.latest = self.directions[key]
            self.latest_key = key
        elif self.is_over(key):
            return
        else:
            direction = self.begin(key, frame, at)
        before: cython.longlong = direction.waiting
        if end:
            direction.end = offset + len(data)
        ready: bytes = direction.feed(offset, data)
        self.waiting += direction.waiting - before
        if len(ready) > 0 or (end and direction.next == direction.end):
            self.pass_on(direction, role, stream, ready, frame, at)
        while direction.waiting > 0 and (direction.overflows or self.waiting > _MAX_WAITING_TOTAL):
            self.note_limit(direction, role, stream, frame)
            self.give_up(direction, role, stream, frame, at)

    def allow(self, role: cython.int, stream: cython.longlong, maximum: cython.longlong) -> None:
        """Take a MAX_STREAM_DATA of a role: up to this offset its peer may send in a stream."""
        key: cython.longlong = 2 * stream + 1 - role
        if key in self.directions:
            direction: Reassembly = self.directions[key]
            direction.allow(maximum)

    def allowed(self, key: cython.longlong) -> cython.Py_ssize_t:
        """Return how many bytes a role may send in a stream from its start, as the peer's transport parameters say; else 0."""
        stream: cython.longlong = key >> 1
        receiver: cython.int = 1 - (key & 1)
        wanted = _LIMITS["uni" if stream & 2 else "bidi_local" if stream & 1 == receiver else "bidi_remote"]
        for parameter in getattr(self.parameters[receiver], "transport_parameters", None) or ():
            if parameter.id == wanted and isinstance(parameter.value, int):
                allowed: cython.Py_ssize_t = parameter.value
                return allowed
        return 0

    def note_limit(self, direction: Reassembly, role: cython.int, stream: cython.longlong, frame: cython.longlong) -> None:
        """Report once that a hole is given up although the capture may have its bytes later."""
        if not self.limited:
            self.limited = True
            detail = f"{direction.waiting} bytes of stream {stream} wait behind a hole, more than are kept: it is given up"
            self.log.add_finding("limit", "info", detail, frame)

    def begin(self, key: cython.longlong, frame: cython.longlong, at: cython.longlong) -> Reassembly:
        """Begin a direction of a stream. If too many are open, the oldest quarter is given up."""
        if len(self.directions) >= _MAX_STREAMS:
            # Several at once: to find the first entry of a dictionary takes a step for each that was removed before it.
            for oldest in list(islice(self.directions, _MAX_STREAMS // 4)):
                self.finish_direction(oldest, frame, at)
                self.end(oldest)
            self.broken = True
        direction: Reassembly = Reassembly()
        direction.allow(self.allowed(key))
        self.directions[key] = self.latest = direction
        self.latest_key = key
        return direction

    def is_over(self, key: cython.longlong) -> cython.bint:
        """Return whether a direction of a stream is over."""
        numbers: PacketNumbers = self.over[key & 7]
        return numbers.has(key >> 3)

    def end(self, key: cython.longlong) -> None:
        """Note that a direction of a stream is over; what it still has is dropped."""
        if key in self.directions:
            direction: Reassembly = self.directions.pop(key)
            self.waiting -= direction.waiting
            direction.reset()
        if key == self.latest_key:
            self.latest_key = -1
            self.latest = None
        numbers: PacketNumbers = self.over[key & 7]
        numbers.add(key >> 3, key >> 3)

    def pass_on(
        self, direction: Reassembly, role: cython.int, stream: cython.longlong, data: bytes, frame: cython.longlong,
        at: cython.longlong,
    ) -> None:  # fmt: skip
        """Pass on bytes that are in order."""
        over: cython.bint = direction.end >= 0 and direction.next >= direction.end
        self.ask()
        self.count(role, data, stream, over, -1, frame, at)
        if over:
            self.end(2 * stream + role)
        if self.direct is not None:
            self.direct.feed_stream(stream, role, data, over, frame, at)
        elif self.reader is not None:
            self.reader.feed_stream(stream, role, data, over, frame, at)

    def give_up(
        self, direction: Reassembly, role: cython.int, stream: cython.longlong, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Give up the first hole of a direction."""
        before: cython.longlong = direction.waiting
        length, data = direction.skip()
        self.waiting += direction.waiting - before
        self.broken = True
        self.ask()
        reader = self.reader
        self.begin_data(frame, at)
        if self.log.events is not None:
            missing = DataMissing(role, MISSING_SEGMENT, self.decryption.failed)
            missing.stream = stream
            missing.length = length
            self.log.emit(missing)
        if reader is not None:
            reader.gap_stream(stream, role, length, MISSING_SEGMENT)
        if len(data) > 0:
            self.pass_on(direction, role, stream, data, frame, at)

    def finish_direction(self, key: cython.longlong, frame: cython.longlong, at: cython.longlong) -> None:
        """Give up all holes of a direction, at the end."""
        direction: Reassembly = self.directions[key]
        while direction.waiting > 0 and key in self.directions:
            self.give_up(direction, key & 1, key >> 1, frame, at)

    def finish(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Give up all holes at the end of the connection."""
        for key in list(self.directions):
            self.finish_direction(key, frame, at)

    def count(
        self, role: cython.int, data: bytes, stream: cython.longlong, end: cython.bint, reset: cython.longlong,
        frame: cython.longlong, at: cython.longlong,
    ) -> None:  # fmt: skip
        """Count bytes of a role, and emit them. end, reset: see `Data`."""
        self.decryption.sent[role] += len(data)
        self.begin_data(frame, at)
        if self.log.events is not None and (len(data) > 0 or end or reset >= 0):
            event = Data(data, role, frame, at)
            event.stream = stream
            event.end = end
            event.reset = reset
            self.log.emit(event)

    def begin_data(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Emit that the data begins, once: before its first bytes, and before what is missing of them."""
        decryption: Decryption = self.decryption
        if decryption.began:
            return
        decryption.began = True
        if self.log.events is not None:
            began = DataBegan(self.alpn, decryption.failed, decryption.keys.reason)
            began.frame = frame
            began.at = at
            self.log.emit(began)

    def ask(self) -> None:
        """Ask for the reader of the data, which the first data creates; only some protocols have streams."""
        if self.asked:
            return
        self.asked = True
        decryption: Decryption = self.decryption
        if decryption.application is None and decryption.keys.material.application is not None:
            decryption.application = decryption.keys.material.application(self.alpn)
        if hasattr(decryption.application, "feed_stream"):
            self.reader = decryption.application
            self.direct = self.reader if isinstance(self.reader, StreamSink) else None
