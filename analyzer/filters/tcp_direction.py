"""Follows one direction of a TCP connection for `tcp.analysis.*`: the sequence analysis that users know from Wireshark.

It looks at headers only, in the order of the capture, so that a filter on it needs no reassembly. Numbers are those of the
header and wrap at 2**32 (RFC 9293 section 3.4). The rules are those of Wireshark's documentation, section "TCP Analysis":
each asks how a segment lies to what its direction has sent so far, and to what the other direction has acknowledged.
"""

from dataclasses import dataclass, field

FIN, SYN, RST, PUSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10

UNKNOWN_SCALE, NO_SCALE = -1, -2
"""Window scales that are no number of bits: the SYN is not in the capture; a side did not offer the option (RFC 7323)."""

OUT_OF_ORDER_TIME = 3_000_000
"""Nanoseconds since the last segment of the other direction in which a segment behind later ones counts as out of order, where
the round trip time is not known: its sender cannot have heard that it is missing."""

MAX_UNACKNOWLEDGED = 1000
"""Segments of a direction that are remembered until they are acknowledged; without the other direction, all are."""

_AMBIGUOUS = ("retransmission", "spurious_retransmission")
"""What a segment is with which nobody knows any more which one an acknowledgment is for (RFC 6298 section 3, Karn's algorithm).
Wireshark knows it of one that is sent again because of duplicate acknowledgments."""

FAST_TIME = 20_000_000
"""Nanoseconds after the last duplicate acknowledgment in which a segment counts as sent again because of it."""


@dataclass(slots=True)
class Segment:
    """The header of a segment, and its time. n_bytes: of its payload on the wire. edges: of its selective acknowledgments."""

    sequence: int
    acknowledgment: int
    flags: int
    window: int
    n_bytes: int
    frame: int
    at: int
    edges: tuple[tuple[int, int], ...] = ()

    @property
    def following(self) -> int:
        """The number after the segment; SYN and FIN count as one byte (RFC 9293 section 3.4)."""
        return (self.sequence + self.n_bytes + (1 if self.flags & (SYN | FIN) else 0)) & 0xFFFFFFFF


@dataclass(slots=True)
class Sent:
    """A segment that is not acknowledged: from where to where it goes, where its data ends, its frame, and its time.

    again: whether its bytes were sent before, so that nobody knows which of the two an acknowledgment is for.
    """

    start: int
    stop: int
    end: int
    frame: int
    at: int
    again: bool


@dataclass(slots=True)
class Direction:
    """One direction.

    first: its initial number, None before a segment shows it. scale: bits, or one of the two constants. following: the
    highest number after a segment; ended: the number after its FIN, None without one. highest: up to where all of it was
    seen. window, plain_window (as it is in the header), acknowledged, acknowledged_at: of its last segment. duplicates: how
    often its acknowledgment came again, and first_frame where it came first. noted: what its last segment was found to be.
    unacknowledged: its segments that the other direction has not acknowledged. edges: the selective acknowledgments of its
    last segment (RFC 2018). flight_known: whether no segment was lost since the last acknowledgment. pushed: bytes since
    the last PSH, which was in its last segment if was_pushed. told: of its last segment, the names after `tcp.analysis.`
    that have a value, and the value. ambiguities: of its last segment, why the time of its acknowledgment says little.
    """

    first: int | None = None
    scale: int = UNKNOWN_SCALE
    following: int | None = None
    ended: int | None = None
    highest: int | None = None
    window: int = 0
    plain_window: int = 0
    acknowledged: int | None = None
    acknowledged_at: int = -1
    duplicates: int = 0
    first_frame: int = 0
    noted: set[str] = field(default_factory=set)
    unacknowledged: list[Sent] = field(default_factory=list)
    edges: tuple[tuple[int, int], ...] = ()
    flight_known: bool = False
    pushed: int = 0
    was_pushed: bool = False
    told: dict[str, int] = field(default_factory=dict)
    ambiguities: list[str] = field(default_factory=list)

    def analyze(self, segment: Segment, peer: "Direction", round_trip: int) -> set[str]:
        """Take the next segment of this direction, and return what it is: the names after `tcp.analysis.`.

        round_trip: nanoseconds of the connection's handshake, 0 where they are not known.
        """
        noted: set[str] = set()
        self.told = {}
        self.ambiguities = []
        self._look_forward(segment, peer, noted)
        if segment.acknowledgment != self.acknowledged:
            self.first_frame, self.duplicates = segment.frame, 0
        if segment.flags & ACK and peer.highest is not None and is_after(segment.acknowledgment, peer.highest):
            noted.add("ack_lost_segment")
            further = peer.following is not None and is_after(peer.following, segment.acknowledgment)
            peer.highest = peer.following if further else segment.acknowledgment
        again = self._again(segment, peer, round_trip) if "keep_alive" not in noted else None
        if again is not None:
            noted |= {again, "retransmission"} if again != "out_of_order" else {again}
        if again in _AMBIGUOUS:
            for sent in self.unacknowledged:
                sent.again |= is_after(sent.stop, segment.sequence) and not is_after(sent.start, segment.sequence)
        if again == "retransmission":
            self._time_retransmission(segment)
        self._remember(segment, noted, again)
        self._take_acknowledgment(segment, peer)
        if segment.n_bytes:
            self._count_flight(segment, peer)
        return noted

    def _time_retransmission(self, segment: Segment) -> None:
        """Tell how long ago the bytes were sent that a segment has again."""
        same = [sent for sent in self.unacknowledged if sent.start == segment.sequence]
        for sent in (same or self.unacknowledged)[:1]:
            self.told["rto"], self.told["rto_frame"] = segment.at - sent.at, sent.frame

    def _take_acknowledgment(self, segment: Segment, peer: "Direction") -> None:
        """Tell which segment of the other direction this one acknowledges, and forget what is acknowledged there."""
        if not segment.flags & ACK:
            return
        last = segment.acknowledgment
        for sent in peer.unacknowledged:
            if is_after(last, sent.start) and not is_after(last, sent.stop):
                self.told["acks_frame"], self.told["ack_rtt"] = sent.frame, segment.at - sent.at
                if last != sent.stop:
                    self.ambiguities.append("partial_ack")
                if sent.again:
                    self.ambiguities.append("ambiguous_ack")
                break
        peer.acknowledge(segment)

    def _count_flight(self, segment: Segment, peer: "Direction") -> None:
        """Tell how many bytes are not acknowledged yet, and how many were sent since the last PSH."""
        if not self.flight_known or not self.unacknowledged:
            return
        first = self.first or 0
        edge = max((sent.end - first) & 0xFFFFFFFF for sent in self.unacknowledged)
        n_bytes = edge - min((sent.start - first) & 0xFFFFFFFF for sent in self.unacknowledged)
        n_bytes -= sum((right - left) & 0xFFFFFFFF for left, right in peer.edges)
        if n_bytes > 0:
            self.told["bytes_in_flight"] = n_bytes
        self.pushed = segment.n_bytes + (0 if self.was_pushed else self.pushed)
        self.was_pushed = bool(segment.flags & PUSH)
        self.told["push_bytes_sent"] = self.pushed

    def _look_forward(self, segment: Segment, peer: "Direction", noted: set[str]) -> None:
        ordinary = not segment.flags & (SYN | FIN | RST)
        in_order = self.following is not None and segment.sequence == self.following
        if segment.n_bytes == 1 and in_order and peer.acknowledged is not None and peer.window == 0:
            noted.add("zero_window_probe")
            return
        if segment.window == 0 and ordinary:
            noted.add("zero_window")
        if self.following is not None and is_after(segment.sequence, self.following) and not segment.flags & RST:
            noted.add("lost_segment")
            self.flight_known = False
        if not ordinary:
            return
        if segment.n_bytes <= 1 and self.following is not None and segment.sequence == (self.following - 1) & 0xFFFFFFFF:
            noted.add("keep_alive")
        if segment.n_bytes:
            self._fills_window(segment, peer, noted)
        elif in_order:
            self._repeats(segment, peer, noted)

    @staticmethod
    def _fills_window(segment: Segment, peer: "Direction", noted: set[str]) -> None:
        if peer.scale == UNKNOWN_SCALE or peer.acknowledged is None:
            return
        edge = peer.acknowledged + peer.window
        if (segment.sequence + segment.n_bytes) & 0xFFFFFFFF == edge & 0xFFFFFFFF:
            noted.add("window_full")

    def _repeats(self, segment: Segment, peer: "Direction", noted: set[str]) -> None:
        """Compare a segment without data with the last one of its direction."""
        window, acknowledgment = segment.window, segment.acknowledgment
        if window != self.plain_window:
            if acknowledgment == self.acknowledged and window:
                noted.add("window_update" if not segment.edges else "duplicate_ack")
                self.duplicates += 1 if segment.edges else 0
            return
        if window and acknowledgment == self.acknowledged and "keep_alive" in peer.noted:
            noted.add("keep_alive_ack")
        elif not window and "zero_window_probe" in peer.noted and self.acknowledged is not None:
            if (acknowledgment - self.acknowledged) & 0xFFFFFFFF <= 1:
                noted.add("zero_window_probe_ack")
        elif window and acknowledgment == self.acknowledged:
            self.duplicates += 1
            noted.add("duplicate_ack")

    def _again(self, segment: Segment, peer: "Direction", round_trip: int) -> str | None:
        """Return why a segment does not go on behind the ones before it; None if it does, or has nothing."""
        following = self.following
        if following is None or not (segment.n_bytes or segment.flags & (SYN | FIN)):
            return None
        if segment.n_bytes > 1 and (following - 1) & 0xFFFFFFFF == segment.sequence:
            return None
        end = (segment.sequence + segment.n_bytes) & 0xFFFFFFFF
        if segment.n_bytes and peer.acknowledged and not is_after(end, peer.acknowledged):
            return "spurious_retransmission"
        if not is_after(following, segment.sequence):
            return None
        if peer.duplicates >= 2 and segment.at - peer.acknowledged_at < FAST_TIME:
            missing = bool(peer.edges) and not any(is_within(segment.sequence, end, *edges) for edges in peer.edges)
            if missing or peer.acknowledged == segment.sequence:
                return "fast_retransmission"
        seen = any(is_within(segment.sequence, end, sent.start, sent.stop) for sent in self.unacknowledged)
        soon = peer.acknowledged_at >= 0 and segment.at - peer.acknowledged_at < (round_trip or OUT_OF_ORDER_TIME)
        if soon and following != end and not seen and not (segment.flags & FIN and self.ended == segment.following):
            return "out_of_order"
        return "retransmission"

    def acknowledge(self, segment: Segment) -> None:
        """Forget what a segment of the other direction acknowledges."""
        self.flight_known = True
        for sent in self.unacknowledged:
            if is_after(segment.acknowledgment, sent.start) and not is_after(segment.acknowledgment, sent.stop):
                sent.start = segment.acknowledgment
        self.unacknowledged = [sent for sent in self.unacknowledged if is_after(sent.stop, segment.acknowledgment)]

    def _remember(self, segment: Segment, noted: set[str], again: str | None) -> None:
        probe = "zero_window_probe" in noted
        if not probe and (self.following is None or is_after(segment.following, self.following)):
            self.following = segment.following
        if not probe and (self.highest is None or segment.sequence == self.highest):
            self.highest = self.following
        end = (segment.sequence + segment.n_bytes) & 0xFFFFFFFF
        if (segment.n_bytes or segment.flags & (SYN | FIN)) and len(self.unacknowledged) < MAX_UNACKNOWLEDGED:
            twice = again in _AMBIGUOUS
            self.unacknowledged.append(Sent(segment.sequence, segment.following, end, segment.frame, segment.at, twice))
        self.window, self.plain_window = self._scaled(segment), segment.window
        if segment.flags & (FIN | ACK) == FIN | ACK:
            self.ended = segment.following
        self.acknowledged = segment.acknowledgment
        self.acknowledged_at = segment.at
        self.edges = segment.edges
        self.noted = noted

    def _scaled(self, segment: Segment) -> int:
        return segment.window if segment.flags & SYN or self.scale < 0 else segment.window << self.scale


def is_within(first: int, last: int, start: int, stop: int) -> bool:
    """Return whether `first` to `last` is inside `start` to `stop`."""
    return not is_after(start, first) and not is_after(last, stop)


def is_after(first: int, second: int) -> bool:
    """Return whether the first number is behind the second, as far as numbers that wrap can say."""
    return 0 < (first - second) & 0xFFFFFFFF < 0x80000000
