"""Keeps what a connection carried before TLS, and takes the headers of TDS away from around a handshake.

What came before TLS says who the real client is, and what was asked of a proxy (`analysis.before_tls` reads it). Only Microsoft
SQL Server goes on with its own packets: up to TDS 7.4, the records of the handshake are the content of PRELOGIN packets
([MS-TDS] 2.2.6.5), whose headers would look like damage between records. The first byte of a header is never that of a record.
"""

from collections.abc import Iterable

from analyzer.flows.carrier import Carrier
from analyzer.tls.record.record_reader import RecordReader

MAX_BEFORE = 4096
"""Bytes before TLS that are kept of a connection. Dialogues and headers of proxies are shorter."""

MAX_PIECES = 128
"""Segments of which bytes are kept."""

TDS_HEADER = 8
"""Bytes of the header of a TDS packet ([MS-TDS] 2.2.3.1): type, status, length with the header, and others."""

_PRELOGIN, _RESPONSE = 0x12, 0x04
_NO_WRAP = -1


class Preface:
    """The bytes before TLS of one connection, and those of a side that never began with it.

    pieces: side and bytes, in the order in which they came; frames: the last frame of each. client: the side that is the
    client. cut: whether bytes are missing. wraps: whether TDS packets are around the handshake. answer_frames: by side, the
    first frame of the bytes of `answered`. carrier: what carries the connection, None if it is one of its own (`Flow.carrier`).
    """

    __slots__ = (
        "_answers", "_heads", "_kept", "_left", "_lost", "answer_frames", "carrier", "client", "cut", "frames", "n_bytes",
        "pieces", "wraps",
    )  # fmt: skip

    def __init__(self, carrier: Carrier | None = None, lost: Iterable[int] = ()) -> None:
        self.carrier = carrier
        self.pieces: list[tuple[int, bytes]] = []
        self.frames: list[int] = []
        self.client = 0
        self.n_bytes = 0
        self.cut = False
        self.wraps = False
        self._left = [_NO_WRAP, _NO_WRAP]
        self._heads = [b"", b""]
        self._answers = [b"", b""]
        self.answer_frames = [0, 0]
        self._kept = [0, 0]
        self._lost: dict[int, int] = {}  # by side, how many bytes of it are kept from before the first ones that are missing
        for side in lost:
            self.lose(side)

    def again(self) -> "Preface | None":
        """Return what another session on the same connection has before it; None if that is nothing."""
        return None if self.carrier is None else Preface(self.carrier)

    def answered(self, side: int) -> bytes:
        """Return the first bytes of a side that came when its peer had begun with TLS, while it has not begun itself."""
        return self._answers[side]

    def answer(self, side: int, data: bytes, frame: int = 0) -> None:
        """Keep bytes of a side whose peer has begun with TLS. They came before TLS only if this side begins with it too."""
        self.answer_frames[side] = self.answer_frames[side] or frame
        self._answers[side] = (self._answers[side] + data)[:MAX_BEFORE]

    def add(self, side: int, data: bytes, frame: int = 0) -> None:
        """Keep the next bytes of a side, as far as the limits allow. frame: 0 if it is not known any more."""
        if len(self.pieces) >= MAX_PIECES or self.n_bytes >= MAX_BEFORE:
            self.cut = True
            return
        kept = data[: MAX_BEFORE - self.n_bytes]
        self.cut = self.cut or len(kept) < len(data)
        self.n_bytes += len(kept)
        self._kept[side] += len(kept)
        if self.pieces and self.pieces[-1][0] == side:
            kept = self.pieces.pop()[1] + kept
            self.frames.pop()
        self.pieces.append((side, kept))
        self.frames.append(frame)

    @property
    def lossy(self) -> bool:
        """Whether bytes of a side are missing between others."""
        return bool(self._lost)

    def before_loss(self) -> list[tuple[int, bytes]]:
        """Return the pieces up to the first missing bytes of each side."""
        left = [self._lost.get(side, self.n_bytes) for side in range(2)]
        found = []
        for side, data in self.pieces:
            found.append((side, data[: left[side]]))
            left[side] -= len(found[-1][1])
        return found

    def drop(self) -> None:
        """Forget the bytes: they are of a connection that seems to have no TLS."""
        self.pieces.clear()
        self.frames.clear()
        self.n_bytes = MAX_BEFORE
        self.cut = True

    def begin(self, side: int) -> None:
        """Note that the records of this side begin now: inside a TDS packet, if its last bytes are the header of one."""
        if self._answers[side]:
            self.add(side, self._answers[side])
            self._answers[side] = b""
        head = b""
        for sender, data in reversed(self.pieces):
            if sender == side:
                head = data + head
                if len(head) >= TDS_HEADER:
                    break
        head = head[-TDS_HEADER:]
        if len(head) == TDS_HEADER and not self.cut and _is_head(head):
            self._left[side] = int.from_bytes(head[2:4], "big") - TDS_HEADER
            self.wraps = True

    def lose(self, side: int) -> None:
        """Note that bytes of a side are missing: where the next header is, is not known any more."""
        self.cut = True
        self._lost.setdefault(side, self._kept[side])
        self._left[side] = _NO_WRAP

    def feed(self, reader: RecordReader, side: int, data: bytes, offset: int, frame: int, at: int) -> None:
        """Pass the next bytes of a side to the reader of its records, without the headers of TDS. See `RecordReader.feed`."""
        pos = 0
        while pos < len(data):
            left = self._left[side]
            if left < 0:
                reader.feed(data, pos, len(data), offset + pos, frame, at)
                return
            if left == 0:
                pos = self._read_head(side, data, pos)
                continue
            n = min(left, len(data) - pos)
            self._left[side] = left - n
            reader.feed(data, pos, pos + n, offset + pos, frame, at)
            pos += n

    def _read_head(self, side: int, data: bytes, pos: int) -> int:
        """Read bytes of a header from `pos` on, and return where the rest begins. Behind the handshake there is none."""
        held = self._heads[side]
        if not held and data[pos] not in (_PRELOGIN, _RESPONSE):
            self._left[side] = _NO_WRAP
            return pos
        taken = data[pos : pos + TDS_HEADER - len(held)]
        held += taken
        self._heads[side] = held
        if len(held) == TDS_HEADER:
            self._heads[side] = b""
            self._left[side] = int.from_bytes(held[2:4], "big") - TDS_HEADER if _is_head(held) else _NO_WRAP
        return pos + len(taken)


def _is_head(head: bytes) -> bool:
    return head[0] in (_PRELOGIN, _RESPONSE) and head[1] < 2 and int.from_bytes(head[2:4], "big") > TDS_HEADER
