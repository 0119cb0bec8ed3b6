"""The fields of TCP and UDP that one header alone does not have (`tcp_fields.csv`).

They are numbers of streams, relative sequence numbers, options, and what the analysis of sequences says. Frames are followed
in the order of the capture, by their headers only.
"""

from dataclasses import dataclass, field

from analyzer.filters.frame_view import Found, FrameView, found
from analyzer.filters.packet_values import Occurrence
from analyzer.filters.tcp_direction import ACK, FIN, NO_SCALE, RST, SYN, Direction, Segment, is_after, is_within
from analyzer.packet.layer_places import KINDS
from analyzer.packet.options import TcpOption, read_tcp_options
from analyzer.packet.packet import Packet

MAX_CONVERSATIONS = 1 << 18
"""Connections, and UDP flows, that are remembered. Of more, the oldest are forgotten, and come back under a new number."""

_TCP, _OWN_TCP, _UDP, _IP = (KINDS.index(name) for name in ("tcp", "tcp.own", "udp", "ip"))
_OPTIONS = {0: "eol", 1: "nop", 2: "mss", 3: "wscale", 4: "sack_perm", 5: "sack", 8: "timestamp"}


_SACK = 5

_NONE_AT_ZERO = {"rto": "rto", "rto_frame": "rto", "ack_rtt": "ack_rtt"}
"""What Wireshark leaves out where a time is zero, and which time."""

_STEPS = ("syn", "syn-ack", "ack", "data", "fin", "rst")
"""The steps of a connection, by bit of `tcp.completeness`."""

_DATA = 8


@dataclass(slots=True)
class Conversation:
    """A connection. directions: of the side with the key `first_key`, then of the other one. round_trip: of its handshake.

    n_frames: so far. steps: those before the last frame, as bits of `tcp.completeness`; seen: those with it. ended_by: who sent
    the first FIN. asked_at: when the last SYN without ACK came, -1 without one.
    """

    number: int
    first_key: bytes
    began: int
    before: int
    directions: tuple[Direction, Direction] = field(default_factory=lambda: (Direction(), Direction()))
    at: int = -1
    round_trip: int = 0
    n_frames: int = 0
    steps: int = 0
    seen: int = 0
    ended_by: Direction | None = None
    asked_at: int = -1

    def count(self, segment: Segment) -> None:
        """Count a frame, and note the step that it takes."""
        self.n_frames += 1
        self.steps = self.seen
        flags = segment.flags
        if flags & SYN:
            self.seen |= 2 if flags & ACK else 1 if self.n_frames == 1 else 0
        elif segment.n_bytes:
            self.seen |= _DATA
        elif flags & ACK:
            self.seen |= 4
        self.seen |= (16 if flags & FIN and flags & ACK else 0) | (32 if flags & RST else 0)
        if flags & (SYN | ACK) == SYN:
            self.asked_at = segment.at
        elif not flags & SYN and flags & ACK and not self.round_trip and self.asked_at >= 0:
            self.round_trip = max(segment.at - self.asked_at, 0)


@dataclass(slots=True)
class Flow:
    """The datagrams of a UDP flow so far: its number, when it began, the time before the last one, their number."""

    number: int
    began: int
    before: int
    at: int
    n_frames: int = 0


class TcpFields:
    """The source of these fields."""

    def __init__(self) -> None:
        self._tcp: dict[bytes, Conversation] = {}
        self._udp: dict[bytes, Flow] = {}
        self._n_tcp = 0
        self._n_udp = 0
        self._conversation: Conversation | None = None
        self._own: Direction | None = None
        self._peer: Direction | None = None
        self._segment: Segment | None = None
        self._noted: set[str] = set()
        self._flows: list[tuple[int, Flow]] = []
        self._quoted = -1

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""
        self._conversation = self._segment = None
        self._flows.clear()
        layers = view.layers
        for index in range(layers.count):
            kind = layers.kind(index)
            if kind == _UDP:
                self._flows.append((index, self._flow(layers.key(index), view.frame.at)))
            elif kind == _TCP and layers.kind(index + 1) == _OWN_TCP:
                self._take_tcp(layers.packet, view)
            elif kind == _TCP:
                self._conversation = self._tcp.get(_both_ways(layers.key(index)))
                self._quoted = index

    def _flow(self, key: bytes, at: int) -> Flow:
        base = _both_ways(key)
        flow = self._udp.get(base)
        if flow is None:
            _make_room(self._udp)
            flow = self._udp[base] = Flow(self._n_udp, at, at, at)
            self._n_udp += 1
        flow.before, flow.at = flow.at, at
        flow.n_frames += 1
        return flow

    def _take_tcp(self, packet: Packet, view: FrameView) -> None:
        key, at = packet.key(), view.frame.at
        base = _both_ways(key)
        conversation = self._tcp.get(base)
        segment = _segment(packet, view)
        self._noted = set()
        if conversation is None or self._reuses(conversation, key, segment):
            if conversation is not None:
                self._noted.add("reused_ports")
            _make_room(self._tcp)
            conversation = self._tcp[base] = Conversation(self._n_tcp, key, at, at)
            self._n_tcp += 1
        own, peer = conversation.directions if key == conversation.first_key else conversation.directions[::-1]
        conversation.before, conversation.at = conversation.at if conversation.at >= 0 else at, at
        if own.first is None:
            own.first = segment.sequence if segment.flags & SYN else (segment.sequence - 1) & 0xFFFFFFFF
        if peer.first is None and segment.flags & ACK:
            peer.first = (segment.acknowledgment - 1) & 0xFFFFFFFF
        if segment.flags & SYN:
            _read_scale(packet, own, peer, bool(segment.flags & ACK))
        conversation.count(segment)
        if segment.flags & FIN and conversation.ended_by is None:
            conversation.ended_by = own
        self._noted |= own.analyze(segment, peer, conversation.round_trip)
        self._conversation, self._own, self._peer, self._segment = conversation, own, peer, segment

    @staticmethod
    def _reuses(conversation: Conversation, key: bytes, segment: Segment) -> bool:
        """Return whether a segment begins another connection: a SYN, or the answer to one, with another number."""
        own = conversation.directions[0 if key == conversation.first_key else 1]
        return bool(segment.flags & SYN) and own.first is not None and own.first != segment.sequence

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        result = found(*[("ip.checksum.status", 2)] * sum(1 for i in range(view.layers.count) if view.layers.kind(i) == _IP))
        layers = view.layers
        for index, flow in self._flows:
            header = layers.header(index)
            length = int.from_bytes(header[4:6]) if len(header) >= 8 else 0
            data = layers.behind(index, length or 1 << 16)[8:]
            checked = header[6:8] != b"\0\0"
            for name, value in (
                ("udp.stream", flow.number),
                ("udp.stream.pnum", flow.n_frames),
                ("udp.time_relative", flow.at - flow.began),
                ("udp.time_delta", flow.at - flow.before),
                ("udp.checksum.status", 2 if checked else 3),
            ):
                result.setdefault(name, []).append(Occurrence(value, None, 1))
            if data:
                result.setdefault("udp.payload", []).append(Occurrence(data, data, 1))
        if self._segment is not None:
            self._find_tcp(layers.packet, result)
        elif self._conversation is not None:
            header = layers.header(self._quoted)
            result |= found(("tcp.stream", self._conversation.number))
            if len(header) >= 12:
                result |= found(("tcp.seq", int.from_bytes(header[4:8])), ("tcp.ack", int.from_bytes(header[8:12])))
        return result

    def _find_tcp(self, packet: Packet, result: Found) -> None:
        conversation, own, peer, segment = self._conversation, self._own, self._peer, self._segment
        if conversation is None or own is None or peer is None or segment is None:
            return
        first, peer_first = own.first or 0, peer.first or 0
        acknowledges = segment.flags & ACK
        result |= found(
            ("tcp.stream", conversation.number),
            ("tcp.stream.pnum", conversation.n_frames),
            ("tcp.completeness", conversation.steps),
            ("tcp.completeness.str", _steps_text(conversation.steps)),
            *((f"tcp.completeness.{step}", bool(conversation.steps >> bit & 1)) for bit, step in enumerate(_STEPS)),
            *((f"tcp.connection.{name}", None) for name in _turns(segment.flags, conversation.ended_by is own)),
            ("tcp.seq", (segment.sequence - first) & 0xFFFFFFFF),
            ("tcp.nxtseq", (segment.following - first) & 0xFFFFFFFF),
            ("tcp.ack", (segment.acknowledgment - peer_first) & 0xFFFFFFFF if acknowledges else segment.acknowledgment),
            ("tcp.len", segment.n_bytes),
            ("tcp.window_size", own.window if not segment.flags & SYN else segment.window),
            ("tcp.flags.str", _flags_text(segment.flags)),
            ("tcp.checksum.status", 2),
            ("tcp.time_relative", segment.at - conversation.began),
            ("tcp.time_delta", segment.at - conversation.before),
        )
        if not segment.flags & SYN:
            result |= found(("tcp.window_size_scalefactor", 1 << own.scale if own.scale >= 0 else own.scale))
        data = packet.data[packet.payload : packet.payload_end]
        if data:
            result["tcp.payload"] = [Occurrence(data, data, 1)]
        if packet.payload - packet.transport > 20:
            _find_options(packet, peer_first, result)
        for name in self._noted:
            result |= found((f"tcp.analysis.{name}", None))
        if "duplicate_ack" in self._noted:
            again = ("tcp.analysis.duplicate_ack", None)  # Wireshark has it with the flags, and with the frame
            number, frame = "tcp.analysis.duplicate_ack_num", "tcp.analysis.duplicate_ack_frame"
            result |= found(again, again, (number, own.duplicates), (frame, own.first_frame))
        if self._noted:
            result |= found(("tcp.analysis.flags", None))
        if self._noted or own.told:
            told = {name: value for name, value in own.told.items() if own.told.get(_NONE_AT_ZERO.get(name, ""), 1)}
            result |= found(("tcp.analysis", None), *((f"tcp.analysis.{name}", value) for name, value in told.items()))
            result |= found(*((f"tcp.analysis.{name}", None) for name in own.ambiguities))
            if conversation.round_trip:
                result |= found(("tcp.analysis.initial_rtt", conversation.round_trip))


def _turns(flags: int, ends: bool) -> list[str]:
    """Return what a segment does to its connection: the names after `tcp.connection.`. ends: whether its side ended first."""
    found = ["synack" if flags & ACK else "syn"] if flags & SYN else []
    if flags & FIN:
        found += ["fin", "fin_active" if ends else "fin_passive"]
    return [*found, "rst"] if flags & RST else found


def _steps_text(steps: int) -> str:
    return "".join(letter if steps >> 5 - place & 1 else "·" for place, letter in enumerate("RFDASS")) if steps else "[ Null ]"


def _both_ways(key: bytes) -> bytes:
    """Return the same key for both directions."""
    half, ports = (len(key) - 4) // 2, len(key) - 4
    back = key[half:ports] + key[:half] + key[ports + 2 :] + key[ports : ports + 2]
    return min(key, back)


def _make_room(known: dict[bytes, Flow] | dict[bytes, Conversation]) -> None:
    if len(known) >= MAX_CONVERSATIONS:
        del known[next(iter(known))]


def _segment(packet: Packet, view: FrameView) -> Segment:
    n_bytes = packet.payload_end - packet.payload + packet.missing
    edges: tuple[tuple[int, int], ...] = ()
    if packet.payload - packet.transport > 28:
        sacks = [one.value for one in read_tcp_options(packet) if one.kind == 5 and isinstance(one.value, tuple)]
        edges = tuple(pair for value in sacks for pair in value if isinstance(pair, tuple))
    frame = view.frame
    return Segment(packet.sequence, packet.acknowledgement, packet.flags, packet.window, n_bytes, frame.number, frame.at, edges)


def _read_scale(packet: Packet, own: Direction, peer: Direction, answers: bool) -> None:
    """Read the window scale of a SYN. It counts only where both sides have one (RFC 7323 section 2.2)."""
    offered = [option.value for option in read_tcp_options(packet) if option.kind == 3 and isinstance(option.value, int)]
    own.scale = min(offered[0], 14) if offered else NO_SCALE
    if not offered or (answers and peer.scale == NO_SCALE):
        own.scale = peer.scale = NO_SCALE


def _flags_text(flags: int) -> str:
    return "".join(letter if flags >> 11 - place & 1 else "·" for place, letter in enumerate("RRRA" + "CEUAPRSF"))


def _find_options(packet: Packet, first: int, result: Found) -> None:
    """Add the options of a segment. first: the initial number of the other direction, to which SACK refers."""
    data = packet.data
    header = data[packet.transport + 20 : packet.payload]
    result["tcp.options"] = [Occurrence(header, header, 1)]
    for option in read_tcp_options(packet):
        raw = data[option.offset : option.offset + option.length]
        pairs: list[tuple[str, object]] = [("tcp.option_kind", option.kind)]
        if option.kind > 1:
            pairs.append(("tcp.option_len", option.length))
        for name, value in pairs + _option_values(option, first) + _repeated_bytes(option, packet.acknowledgement, first):
            result.setdefault(name, []).append(Occurrence(value, None, 1))  # type: ignore[arg-type]
        if option.kind == 0:  # what follows is not read, but padded with the same
            rest = packet.payload - option.offset - 1
            padded = rest if not any(data[packet.payload - rest : packet.payload]) else 0
            result["tcp.option_kind"] += [Occurrence(0, None, 1)] * padded
            result.setdefault("tcp.options.eol", []).extend([Occurrence(b"\0", b"\0", 1)] * padded)
        if option.kind in _OPTIONS:
            result.setdefault(f"tcp.options.{_OPTIONS[option.kind]}", []).append(Occurrence(raw, raw, 1))


def _repeated_bytes(option: TcpOption, acknowledged: int, first: int) -> list[tuple[str, object]]:
    """Return the first range of a selective acknowledgment if it tells of bytes that came twice: they are acknowledged already,
    or in the second range (D-SACK, RFC 2883 section 4)."""
    ranges = [pair for pair in option.value if isinstance(pair, tuple)] if isinstance(option.value, tuple) else []
    if option.kind != _SACK or not ranges:
        return []
    left, right = ranges[0]
    if is_after(right, acknowledged) and not (len(ranges) > 1 and is_within(left, right, *ranges[1])):
        return []
    edges = (left - first) & 0xFFFFFFFF, (right - first) & 0xFFFFFFFF
    name = "tcp.options.sack.dsack"
    return [(name, None), (f"{name}_le", edges[0]), (f"{name}_re", edges[1])]


def _option_values(option: TcpOption, first: int) -> list[tuple[str, object]]:
    value = option.value
    if option.kind == 2 and isinstance(value, int):
        return [("tcp.options.mss_val", value)]
    if option.kind == 3 and isinstance(value, int):
        return [("tcp.options.wscale.shift", value), ("tcp.options.wscale.multiplier", 1 << min(value, 14))]
    if option.kind == 8 and isinstance(value, tuple):
        return [("tcp.options.timestamp.tsval", value[0]), ("tcp.options.timestamp.tsecr", value[1])]
    if option.kind == 5 and isinstance(value, tuple):
        edges: list[tuple[str, object]] = []
        for pair in value:
            if isinstance(pair, tuple):
                edges.append(("tcp.options.sack_le", (pair[0] - first) & 0xFFFFFFFF))
                edges.append(("tcp.options.sack_re", (pair[1] - first) & 0xFFFFFFFF))
        return [*edges, ("tcp.options.sack.count", len(value))]
    return []
