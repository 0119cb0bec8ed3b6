"""How often Wireshark reads TLS in a packet of QUIC: for each CRYPTO frame that continues its stream (RFC 9000 section 7.5).

Frames that come out of their order wait, and so do all behind them; they are read at once when there is no hole any more.
"""

from collections import OrderedDict
from itertools import islice

from analyzer.codec.varint import read_varint
from analyzer.filters.frame_view import FrameView
from analyzer.tls.quic.frame_layout import CRYPTO, LAST_STREAM, PADDING, STREAM, PacketFrame, packet_frames
from analyzer.tls.quic.quic_events import SEALED, PacketSeen

MAX_STREAMS = 1 << 14
"""Streams of handshake messages that are followed; of more, the oldest are forgotten."""

MAX_FRAMES = 4096
"""Frames of one packet that are looked at."""

MAX_WAITING, MAX_HELD = 512, 1 << 16
"""Frames that wait, of one stream and of all. Clients that mix up their hello send it in some ten; each takes 130 bytes."""

_PING = 0x01
_LEN, _OFF = 0x02, 0x04


class _Stream:
    """A stream of CRYPTO frames. read: the position up to which all was read. top: behind all that waits."""

    __slots__ = ("read", "top", "waiting")

    def __init__(self) -> None:
        self.read = 0
        self.top = 0
        self.waiting: list[tuple[int, int]] = []

    def add(self, start: int, end: int) -> bool:
        """Take a frame. Return whether something is read with it."""
        if end <= self.read or len(self.waiting) >= MAX_WAITING:
            return False
        if start <= self.read == self.top:
            self.read = self.top = end
            return True
        self.waiting.append((start, end))
        self.top = max(self.top, end)
        if min(self.waiting)[0] > self.read:
            return False
        reached = self.read
        for first, last in sorted(self.waiting):
            if first > reached:
                return False
            reached = max(reached, last)
        self.read = self.top
        self.waiting.clear()
        return True


class CryptoReadings:
    """Counts these readings. counts: those of the packets of the last frame, by the place of their event in it."""

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self._streams: OrderedDict[tuple[int, int, int], _Stream] = OrderedDict()
        self._held = 0

    def take(self, view: FrameView) -> None:
        """Take the next frame."""
        self.counts = {}
        for place, event in enumerate(view.events):
            if isinstance(event, PacketSeen) and event.number != SEALED:
                places = _places(event.plaintext)
                if places:
                    stream = self._stream(event)
                    self._held -= len(stream.waiting)
                    self.counts[place] = sum(stream.add(start, end) for start, end in places)
                    self._held += len(stream.waiting)
                    while self._held > MAX_HELD:
                        self._forget_oldest()

    def _stream(self, event: PacketSeen) -> _Stream:
        key = event.session, event.role, event.level
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = _Stream()
            if len(self._streams) > MAX_STREAMS:
                self._forget_oldest()
        return stream

    def _forget_oldest(self) -> None:
        self._held -= len(self._streams.popitem(last=False)[1].waiting)


def _places(plaintext: bytes) -> list[tuple[int, int]]:
    """Return where the bytes of the CRYPTO frames of a packet are in their stream. Usual packets are read at once."""
    found: list[tuple[int, int]] = []
    pos, end = 0, len(plaintext)
    while pos < end:
        kind = plaintext[pos]
        pos += 1
        if kind == PADDING:
            pos = end - len(plaintext[pos:].lstrip(b"\0"))
            continue
        is_stream = STREAM <= kind <= LAST_STREAM
        if kind != CRYPTO and not is_stream:
            if kind == _PING:
                continue
            frames = islice(packet_frames(plaintext), MAX_FRAMES)
            return [_place(frame) for frame in frames if frame.type == CRYPTO and frame.whole]
        if is_stream and not kind & _LEN:
            return found  # up to the end of the packet
        numbers = []
        for _ in range(2 + bool(is_stream and kind & _OFF)):
            number = read_varint(plaintext, pos)
            if number is None:
                return found
            numbers.append(number[0])
            pos = number[1]
        pos += numbers[-1]
        if kind == CRYPTO and pos <= end:
            found.append((numbers[0], numbers[0] + numbers[1]))
    return found


def _place(frame: PacketFrame) -> tuple[int, int]:
    """Return where the bytes of a CRYPTO frame are in its stream."""
    offset, length = (field.value for field in frame.fields[:2])
    assert isinstance(offset, int)
    assert isinstance(length, int)
    return offset, offset + length
