"""IP defragmentation: RFC 791 section 3.2 for IPv4, RFC 8200 section 4.5 for IPv6.

Fragments of one datagram have the same addresses, identification and, in IPv4, protocol. Each fragment has the offset of its
bytes. The fragment without "more fragments" gives the end of the datagram. If two fragments contain the same offset, operating
systems differ in which one they use, and attackers exploit this. IPv6 forbids such an overlap, so the whole datagram is
discarded (RFC 5722). In IPv4, the bytes that came first are used here, and the others are reported. An exact copy of a fragment
is not an overlap, because captures often contain a packet twice.
"""

from bisect import bisect_right
from dataclasses import dataclass, field

from analyzer.packet.packet import Packet

# RFC 8200 allows a datagram 60 seconds from its first fragment, RFC 1122 between 60 and 120.
TIMEOUT = 60_000_000_000
# Datagrams open at one time. A busy link has a few hundred. If there are more than this, the oldest is evicted.
MAX_DATAGRAMS = 4096
# Bytes kept. Each piece is counted with the overhead of Python, so that a flood of tiny fragments is limited too.
MAX_BYTES = 64 << 20
PIECE_BYTES = 160
# A report contains both versions of overlapping bytes. If reports are not taken, only the first ones are kept.
MAX_REPORTS = 1000
# A datagram of 8-byte fragments has 8,192 frames. The first of them are enough to find it.
MAX_FRAMES = 64

_MAX_LENGTH = 65_535


@dataclass(frozen=True, slots=True)
class FragmentReport:
    """An anomaly in the fragments of a datagram, or a datagram that was not completed.

    kind: `overlap` (two fragments have the same bytes at an offset), `conflict` (they have different bytes there), `end` (bytes
        after the datagram's end, or a second end), `length` (a fragment that is not the last one is empty, or its length is not
        a multiple of 8 bytes), `too_long` (more than 65,535 bytes), `cut` (truncated by the snapshot length), `timeout`,
        `evicted` (to stay within the limits), `incomplete` (at the end of the capture).
    frame: the frame in which it was noticed, 0 at the end of the capture.
    frames: those of the fragments kept until then, at most MAX_FRAMES.
    offset: position in the datagram's payload, in bytes.
    first, second: for an overlap or a conflict, the bytes there: of the fragment that came first, and of the other one.
    """

    kind: str
    frame: int
    frames: tuple[int, ...]
    offset: int
    first: bytes = b""
    second: bytes = b""


class Defragmenter:
    """Reassembles IP datagrams from their fragments.

    Of the datagram that was returned last: frames, in order of arrival; conflict, the first bytes that were not used because a
    fragment before had others at their place, empty if all fragments agree. reports: those that were not taken yet.
    """

    def __init__(self) -> None:
        self.frames: tuple[int, ...] = ()
        self.conflict = b""
        self._open: dict[bytes, _Datagram] = {}
        self._n_bytes = 0
        self.reports: list[FragmentReport] = []

    def feed(self, packet: Packet, at: int, frame: int) -> bytes | None:
        """Take a packet with `fragment` set. Return the whole datagram if it is complete now, else None.

        The result is an IP packet in its own buffer, for `headers.read_ip`. It has no fragment fields: the header of the
        datagram's first fragment with the length of the whole datagram, then the payload. at: the frame's time in nanoseconds
        since 1970-01-01 UTC, or -1. frame: its number. Raise ValueError for a packet that is not a fragment.
        """
        if not packet.fragment:
            raise ValueError("the packet is no fragment")
        self._expire(at, frame)
        key = _key(packet)
        datagram = self._open.get(key)
        if datagram is None:
            datagram = self._open[key] = _Datagram(at)
        kept = datagram.n_bytes
        datagram.take(packet, frame, self.reports)
        self._n_bytes += datagram.n_bytes - kept
        if datagram.complete():
            self._close(key)
            self.frames = tuple(datagram.frames)
            self.conflict = datagram.conflict
            return datagram.join()
        while self._n_bytes > MAX_BYTES or len(self._open) > MAX_DATAGRAMS:
            self._drop(next(iter(self._open)), "evicted", frame)
        return None

    def finish(self) -> None:
        """Report the datagrams that are still incomplete."""
        for key in list(self._open):
            self._drop(key, "incomplete", 0)

    def take_reports(self) -> list[FragmentReport]:
        """Return the reports since the last call, in order."""
        reports, self.reports = self.reports, []
        return reports

    def _expire(self, at: int, frame: int) -> None:
        """Drop the datagrams that waited too long. The oldest are first, unless the capture's clock was set back."""
        while self._open:
            key, datagram = next(iter(self._open.items()))
            if at < 0 or datagram.at < 0 or at - datagram.at <= TIMEOUT:
                return
            self._drop(key, "timeout", frame)

    def _drop(self, key: bytes, kind: str, frame: int) -> None:
        datagram = self._close(key)
        if not datagram.discarded:
            datagram.note(kind, frame, datagram.first_hole(), self.reports)

    def _close(self, key: bytes) -> "_Datagram":
        datagram = self._open.pop(key)
        self._n_bytes -= datagram.n_bytes
        return datagram


@dataclass(slots=True)
class _Datagram:
    """The fragments of one datagram so far: pieces that do not overlap, in order of their offsets.

    header: the bytes before the payload, from the fragment with offset 0. length: of the payload, -1 before the last fragment
    was seen. discarded: the rest of its fragments must be ignored too. conflict: as in `Defragmenter`.
    """

    at: int
    header: bytes = b""
    length: int = -1
    discarded: bool = False
    offsets: list[int] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    n_payload: int = 0
    n_bytes: int = PIECE_BYTES
    conflict: bytes = b""

    def take(self, packet: Packet, frame: int, reports: list[FragmentReport]) -> None:
        """Keep the new bytes of a fragment."""
        offset = packet.fragment_offset
        payload = packet.data[packet.payload : packet.payload_end]
        if self.discarded:
            return
        # A fragment that is not the last one contains whole units of eight bytes. IPv4 systems drop the rest of its bytes.
        if packet.more_fragments and (len(payload) & 7 or not payload) and not packet.missing:
            self.note("length", frame, offset, reports)
            payload = payload[: len(payload) & ~7] if packet.ip_version == 4 else b""
        if packet.missing:
            self.note("cut", frame, offset + len(payload), reports)
            return
        header = _header(packet) if offset == 0 else self.header
        end = offset + len(payload)
        if max(end, self._reach()) + _n_counted(header, packet.ip_version) > _MAX_LENGTH:
            self.note("too_long", frame, offset, reports)
            self._discard()
            return
        if not self._end_fits(end, last=not packet.more_fragments):
            self.note("end", frame, end, reports)
            return
        if not payload:
            return
        if not self._overlaps_in_ipv6(packet, offset, payload, frame, reports):
            self._keep(offset, payload, frame, reports)
        if not self.header and not self.discarded:
            self.header = header
            self.n_bytes += len(header)

    def note(
        self, kind: str, frame: int, offset: int, reports: list[FragmentReport], first: bytes = b"", second: bytes = b""
    ) -> None:
        """Add a report on this datagram, unless there are MAX_REPORTS already."""
        if len(reports) < MAX_REPORTS:
            reports.append(FragmentReport(kind, frame, tuple(self.frames[:MAX_FRAMES]), offset, first, second))

    def complete(self) -> bool:
        """Return whether no byte is missing."""
        return self.n_payload == self.length and bool(self.header) and not self.discarded

    def join(self) -> bytes:
        """Return the datagram as one IP packet."""
        header = bytearray(self.header)
        length = self.length + _n_counted(self.header, header[0] >> 4)
        at = 2 if header[0] >> 4 == 4 else 4
        header[at : at + 2] = length.to_bytes(2, "big")
        return b"".join((header, *self.pieces))

    def first_hole(self) -> int:
        """Return the offset of the first byte that is missing."""
        at = 0
        for offset, piece in zip(self.offsets, self.pieces, strict=True):
            if offset > at:
                break
            at = offset + len(piece)
        return at

    def _end_fits(self, end: int, last: bool) -> bool:
        """Return whether a fragment that ends at `end` agrees with the datagram's end, if that is known.

        The last fragment sets the datagram's end.
        """
        if self.length >= 0 and (end > self.length or (last and end != self.length)):
            return False
        if last:
            if self._reach() > end:
                return False
            self.length = end
        return True

    def _reach(self) -> int:
        """Return the end of the last bytes that are known so far."""
        return self.offsets[-1] + len(self.pieces[-1]) if self.offsets else max(self.length, 0)

    def _overlaps_in_ipv6(self, packet: Packet, offset: int, payload: bytes, frame: int, reports: list[FragmentReport]) -> bool:
        """Return whether an IPv6 fragment is not to be kept: it is a copy, or it overlaps another one.

        An overlap discards the whole datagram.
        """
        if packet.ip_version != 6:
            return False
        i = bisect_right(self.offsets, offset)
        after = self.offsets[i] if i < len(self.offsets) else _MAX_LENGTH
        before = self.offsets[i - 1] + len(self.pieces[i - 1]) if i else 0
        if before <= offset and offset + len(payload) <= after:
            return False
        if i and self.offsets[i - 1] == offset and self.pieces[i - 1] == payload:
            return True
        first = self.pieces[i - 1][offset - self.offsets[i - 1] :] if before > offset else self.pieces[i]
        where = offset if before > offset else after
        second = payload[where - offset :][: len(first)]
        self._note_overlap(frame, where, first[: len(second)], second, reports)
        self._discard()
        return True

    def _keep(self, offset: int, payload: bytes, frame: int, reports: list[FragmentReport]) -> None:
        """Put the bytes of a fragment into the holes that are not filled yet. Compare the other bytes."""
        end = offset + len(payload)
        at = offset
        before = self.n_payload
        overlap: tuple[int, bytes, bytes] | None = None
        i = max(bisect_right(self.offsets, offset) - 1, 0)
        while at < end:
            start = self.offsets[i] if i < len(self.offsets) else end
            if at < start:
                stop = min(start, end)
                self.offsets.insert(i, at)
                self.pieces.insert(i, payload[at - offset : stop - offset])
                self.n_payload += stop - at
                self.n_bytes += stop - at + PIECE_BYTES
                at = stop
            else:
                piece = self.pieces[i]
                stop = min(start + len(piece), end)
                if at < stop and (offset != start or piece != payload):
                    first, second = piece[at - start : stop - start], payload[at - offset : stop - offset]
                    # One report per fragment: of the first difference, or if there is none, of the first common bytes.
                    if overlap is None or (overlap[1] == overlap[2] and first != second):
                        overlap = (at, first, second)
                at = max(at, stop)
            i += 1
        if overlap is not None:
            self._note_overlap(frame, *overlap, reports)
        if self.n_payload > before:
            self.frames.append(frame)

    def _note_overlap(self, frame: int, offset: int, first: bytes, second: bytes, reports: list[FragmentReport]) -> None:
        self.note("overlap" if first == second else "conflict", frame, offset, reports, first, second)
        if first != second and not self.conflict:
            self.conflict = second

    def _discard(self) -> None:
        """Free the bytes, but keep the entry until its timeout.

        Otherwise later fragments of this datagram would begin a new one.
        """
        self.discarded = True
        self.header = b""
        self.offsets.clear()
        self.pieces.clear()
        self.n_bytes = PIECE_BYTES


def _key(packet: Packet) -> bytes:
    """Return the key that the fragments of one datagram share. Its length differs between IPv4 and IPv6."""
    ip = packet.ip
    number = packet.fragment_id.to_bytes(4, "big")
    if packet.ip_version == 4:
        return packet.data[ip + 12 : ip + 20] + bytes((packet.protocol,)) + number
    return packet.data[ip + 8 : ip + 40] + number


def _header(packet: Packet) -> bytes:
    """Return the bytes before the payload of the whole packet.

    This is the IP header; in IPv6, with the extension headers before the Fragment header.
    """
    if packet.ip_version == 4:
        header = bytearray(packet.data[packet.ip : packet.payload])
        # In the word with the flags and the offset, only "don't fragment" is kept.
        header[6] &= 0x40
        header[7] = 0
    else:
        header = bytearray(packet.data[packet.ip : packet.fragment_header])
        header[packet.announced_at - packet.ip] = packet.protocol
    return bytes(header)


def _n_counted(header: bytes, version: int) -> int:
    """Return how many bytes of a header the packet's length field counts: all in IPv4, only the extension headers in IPv6."""
    return len(header) if version == 4 else max(len(header) - 40, 0)
