"""Keeps what one place saw of each connection: its segments, and what a device on the path can change.

Two captures of one connection can be compared only packet by packet. So of each segment with payload the position in its
stream, the length, the time, the frame and a mark of its bytes are kept; of the packets that open a connection the TCP options;
of each direction the time to live. Positions count from the byte behind the SYN, or from the first byte seen where there is no
SYN (RFC 9293 section 3.4). A mark is a keyed hash of the bytes (SipHash), which is the same within one process only.

Memory is bounded: MAX_CONNECTIONS connections, and MAX_SEGMENTS segments of all of them. What is left out is counted, and a
direction that lacks segments says from what time on.
"""

from array import array
from dataclasses import dataclass

from analyzer.capture.frame import Frame
from analyzer.flows.flow import TCP, UDP
from analyzer.packet.addresses import reverse_key
from analyzer.packet.options import read_tcp_options
from analyzer.packet.packet import Packet

MAX_CONNECTIONS = 1 << 15
"""Connections and exchanges of datagrams that are kept, each with about 1.5 kB."""

MAX_SEGMENTS = 1_000_000
"""Segments with payload that are kept, each with 38 bytes."""

DUPLICATE_TIME, UNNAMED_TIME = 10_000_000, 100_000
"""Nanoseconds within which the same segment is the same packet, captured twice: with an equal identification of IPv4, and
without one. A sender does not repeat itself so soon.
"""

LAST_SEGMENTS = 4
"""Segments before one among which its duplicate is looked for."""

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
MASK, HALF, WHOLE = 0xFFFFFFFF, 0x80000000, 0x100000000

NO_MARK = 0
"""The mark of a segment whose bytes are not all captured: it can be compared with no other."""

MAXIMUM_SEGMENT_SIZE, WINDOW_SCALE, SACK_PERMITTED, TIMESTAMPS = 2, 3, 4, 8
"""Kinds of TCP options."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A SYN. number: its sequence number; at: its time. options: kinds, in their order; mss, scale: None without the option."""

    number: int
    at: int
    window: int
    mss: int | None
    scale: int | None
    options: tuple[int, ...]


class Direction:
    """What one end of a connection sent.

    base: the sequence number of position 0, -1 before it is known. position, sequence: the furthest place seen, counted from 0
    and as a sequence number. acknowledged: the furthest position that the other end has acknowledged, -1 for none. opening: the
    first SYN. hops, other_hops: the first time to live, and the last one that differed from it; -1 for none. n_packets;
    n_resets: packets with RST. starts, lengths, times, marks, frames, identifications: of the segments with payload, in the
    order of the capture; the starts of datagrams are 0. cut_at: time of the first segment that was left out, -1 for none.
    """

    __slots__ = (
        "acknowledged", "base", "cut_at", "frames", "hops", "identifications", "lengths", "marks", "n_packets", "n_resets",
        "opening", "other_hops", "position", "reset_frame", "sequence", "starts", "times",
    )  # fmt: skip

    def __init__(self) -> None:
        self.base = self.acknowledged = self.hops = self.other_hops = self.cut_at = -1
        self.position = self.sequence = self.n_packets = self.n_resets = self.reset_frame = 0
        self.opening: Opening | None = None
        self.starts = array("q")
        self.lengths = array("i")
        self.times = array("q")
        self.marks = array("q")
        self.frames = array("q")
        self.identifications = array("H")

    def place(self, number: int) -> int:
        """Return the position of a sequence number. It is near the furthest one, so that numbers may begin again."""
        ahead = (number - self.sequence) & MASK
        return self.position + (ahead if ahead < HALF else ahead - WHOLE)

    def begin(self, number: int) -> None:
        """Let position 0 have this sequence number."""
        self.base = self.sequence = number
        self.position = 0

    def advance(self, position: int, number: int) -> None:
        """Remember the furthest place."""
        if position > self.position:
            self.position, self.sequence = position, number & MASK

    def is_duplicate(self, start: int, n_bytes: int, mark: int, identification: int, at: int) -> bool:
        """Return whether a segment is one of the last ones, captured a second time."""
        for place in range(len(self.starts) - 1, max(-1, len(self.starts) - 1 - LAST_SEGMENTS), -1):
            if self.starts[place] == start and self.lengths[place] == n_bytes and self.marks[place] == mark:
                near = DUPLICATE_TIME if identification else UNNAMED_TIME
                return self.identifications[place] == identification and at - self.times[place] < near
        return False


class ConnectionTrace:
    """A TCP connection, or an exchange of datagrams, as one place saw it.

    key: `Packet.key` of what the client sends: who sent the SYN, or else the end with the higher port. directions: of the
    client, of the server. first_frame, first, last: its first frame, and the times of its first and last packet.
    """

    __slots__ = ("directions", "first", "first_frame", "key", "last", "last_frame", "protocol")

    def __init__(self, protocol: int, key: bytes, frame: int, at: int) -> None:
        self.protocol = protocol
        self.key = key
        self.first_frame = self.last_frame = frame
        self.first = self.last = at
        self.directions = (Direction(), Direction())

    def turn(self) -> None:
        """Exchange client and server: what TLS says of the roles is better than a guess from ports."""
        self.key = reverse_key(self.key)
        self.directions = (self.directions[1], self.directions[0])


class PlaceTraces:
    """Takes the packets of one place.

    traces: the connections, in the order of their first packets. n_segments: that are kept. left_out: segments that are not,
    and beyond: packets of connections that are not.
    """

    def __init__(self) -> None:
        self.traces: list[ConnectionTrace] = []
        self.n_segments = self.left_out = self.beyond = 0
        self._current: dict[bytes, tuple[ConnectionTrace, int]] = {}

    def count(self, packet: Packet, frame: Frame) -> None:
        """Take one frame, which was read into `packet`."""
        protocol = packet.protocol
        key = packet.key() if protocol in (TCP, UDP) and not packet.fragment and not packet.truncated else b""
        if not key:
            return
        known = self._current.get(key)
        if known is None or (protocol == TCP and _is_another(known, packet)):
            known = self._begin(protocol, key, packet, frame)
            if known is None:
                self.beyond += 1
                return
        trace, side = known
        trace.last_frame = frame.number
        trace.last = max(trace.last, frame.at)
        self._take(trace, side, packet, frame)

    def _begin(self, protocol: int, key: bytes, packet: Packet, frame: Frame) -> tuple[ConnectionTrace, int] | None:
        if len(self.traces) >= MAX_CONNECTIONS:
            return None
        opens = packet.flags & (SYN | ACK) if protocol == TCP else 0
        answers = opens == SYN | ACK or (opens != SYN and packet.source_port < packet.destination_port)
        back = reverse_key(key)
        trace = ConnectionTrace(protocol, back if answers else key, frame.number, frame.at)
        self.traces.append(trace)
        self._current[back] = trace, int(not answers)
        self._current[key] = trace, int(answers)
        return self._current[key]

    def _take(self, trace: ConnectionTrace, side: int, packet: Packet, frame: Frame) -> None:
        sender, peer = trace.directions[side], trace.directions[1 - side]
        sender.n_packets += 1
        hops = packet.data[packet.ip + (8 if packet.ip_version == 4 else 7)]
        if sender.hops < 0:
            sender.hops = hops
        elif hops != sender.hops:
            sender.other_hops = hops
        n_bytes = packet.payload_end - packet.payload + packet.missing
        start = 0
        if trace.protocol == TCP:
            start = _take_header(sender, peer, packet, frame, n_bytes)
        if n_bytes <= 0:
            return
        mark = NO_MARK if packet.missing else hash(packet.data[packet.payload : packet.payload_end]) or 1
        identification = int.from_bytes(packet.data[packet.ip + 4 : packet.ip + 6]) if packet.ip_version == 4 else 0
        if sender.is_duplicate(start, n_bytes, mark, identification, frame.at):
            return
        if self.n_segments >= MAX_SEGMENTS:
            self.left_out += 1
            if sender.cut_at < 0:
                sender.cut_at = max(0, frame.at)
            return
        self.n_segments += 1
        sender.starts.append(start)
        sender.lengths.append(n_bytes)
        sender.times.append(frame.at)
        sender.frames.append(frame.number)
        sender.marks.append(mark)
        sender.identifications.append(identification)


def _is_another(known: tuple[ConnectionTrace, int], packet: Packet) -> bool:
    """Return whether a packet opens another connection between the same ports."""
    if packet.flags & (SYN | ACK | RST) != SYN:
        return False
    sender = known[0].directions[known[1]]
    return sender.base >= 0 and (packet.sequence + 1) & MASK != sender.base


def _take_header(sender: Direction, peer: Direction, packet: Packet, frame: Frame, n_bytes: int) -> int:
    """Take the numbers of a TCP header. Return the position of its payload."""
    flags, number = packet.flags, packet.sequence
    if flags & SYN:
        number = (number + 1) & MASK
        if sender.opening is None:
            sender.opening = _opening(packet, frame.at)
            if sender.base < 0 or len(sender.starts) == 0:
                sender.begin(number)
    elif sender.base < 0:
        sender.begin(number)
    start = sender.place(number)
    sender.advance(start + n_bytes, number + n_bytes)
    if flags & RST:
        sender.n_resets += 1
        sender.reset_frame = sender.reset_frame or frame.number
    elif flags & ACK:
        if peer.base < 0:
            peer.begin(packet.acknowledgement)
        peer.acknowledged = max(peer.acknowledged, peer.place(packet.acknowledgement))
    return start


def _opening(packet: Packet, at: int) -> Opening:
    options = read_tcp_options(packet)
    values = {option.kind: option.value for option in options if isinstance(option.value, int)}
    kinds = tuple(option.kind for option in options)
    return Opening(packet.sequence, at, packet.window, values.get(MAXIMUM_SEGMENT_SIZE), values.get(WINDOW_SCALE), kinds)
