"""The table `-z expert` of tshark: what is unusual in segments and hellos, by severity, with how often it is.

The sentences are those of Wireshark, and so are the severities. Beginning and end of connections, the analysis of sequence
numbers (`tcp.analysis.*`), and what hellos of TLS say are in it. Our own findings are not: `analyzer summary` has them.
"""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from analyzer.cli.frame_reading import View
from analyzer.cli.output import complain
from analyzer.cli.tshark_taps import Span, Tap, read_filter
from analyzer.filters.field_table import field_table, known_field
from analyzer.packet.options import TcpOption, read_tcp_options
from analyzer.packet.packet import Packet
from analyzer.tls.events import HandshakeMessage, RecordRead
from analyzer.tls.quic.quic_events import PacketSeen

if TYPE_CHECKING:
    from analyzer.filters.compiled_filter import CompiledFilter
    from analyzer.filters.field import Field
    from analyzer.tls.events import Event

MOST_ROWS = 1 << 14
"""Different sentences of one severity, at most."""

MOST_CLOSING = 1 << 17
"""Connections of which it is known who ended them first, and the largest segments, at most. Beyond it, all are forgotten."""

_ERROR, _WARN, _NOTE, _CHAT = "error", "warn", "note", "chat"
_SECTIONS = {_ERROR: "Errors", _WARN: "Warns", _NOTE: "Notes", _CHAT: "Chats"}
_FIN, _SYN, _RST, _ACK = 0x01, 0x02, 0x04, 0x10
_TCP = 6

_ANALYSIS = {
    "partial_ack": (_NOTE, "Partial Acknowledgement of a segment"),
    "ambiguous_ack": (_NOTE, "Ambiguous ACK following Karn's definition"),
    "lost_segment": (_WARN, "Previous segment(s) not captured (common at capture start)"),
    "ack_lost_segment": (_WARN, "ACKed segment that wasn't captured (common at capture start)"),
    "fast_retransmission": (_NOTE, "This frame is a (suspected) fast retransmission"),
    "spurious_retransmission": (_NOTE, "This frame is a (suspected) spurious retransmission"),
    "retransmission": (_NOTE, "This frame is a (suspected) retransmission"),
    "out_of_order": (_WARN, "This frame is a (suspected) out-of-order segment"),
    "reused_ports": (_NOTE, "A new tcp session is started with the same ports as an earlier session in this trace"),
    "window_update": (_CHAT, "TCP window update"),
    "window_full": (_WARN, "TCP window specified by the receiver is now completely full"),
    "keep_alive": (_NOTE, "TCP keep-alive segment"),
    "keep_alive_ack": (_NOTE, "ACK to a TCP keep-alive segment"),
    "zero_window_probe": (_NOTE, "TCP Zero Window Probe"),
    "zero_window": (_WARN, "TCP Zero Window segment"),
    "zero_window_probe_ack": (_NOTE, "ACK to a TCP Zero Window Probe"),
}
"""What the analysis of sequence numbers says: severity and sentence, in the order in which one segment is looked at."""

_LEGACY = "This legacy_version field MUST be ignored. The supported_versions extension is present and MUST be used instead."
_EXPECTED = {2: "MSS", 4: "SACK PERM"}
"""Options that a SYN with options should have, by their kind."""

_SEGMENT_SIZE, _LARGEST = 2, 536
"""The option, and what a side may be sent that offers none (RFC 9293 section 3.7.1)."""

_EXCEEDED = "This packet's length exceeds MSS (common with TSO or incomplete conversations)"

_PADDED = "(Random) padding data appended to the datagram"

_WINDOW_SCALE, _MOST_SHIFT = 3, 14
"""The option, and its largest value (RFC 7323 section 2.3)."""

_HEADER = 20

_RESUMED = "This session reuses previously negotiated keys (Session resumption)"
_CLIENT_HELLO, _SERVER_HELLO, _CLIENT_KEY_EXCHANGE, _CHANGE_CIPHER_SPEC, _SERVER = 1, 2, 16, 20, 1
_HELLOS = frozenset({_CLIENT_HELLO, _SERVER_HELLO})
_TLS_13 = 0x0304


def expert_tap(words: Sequence[str], options: Namespace) -> "ExpertTap":
    """Return the table for the words behind `expert`: the least severity, and a filter."""
    least, rest = _CHAT, list(words)
    if rest and rest[0].lower() in (*_SECTIONS, "comment"):
        least = rest.pop(0).lower()
    return ExpertTap(_CHAT if least == "comment" else least, read_filter(",".join(rest), options))


class ExpertTap(Tap):
    """`-z expert`."""

    def __init__(self, least: str, chosen: "CompiledFilter | None") -> None:
        """least: the lowest severity that is shown."""
        self.filters = (chosen,)
        self._shown = list(_SECTIONS)[: list(_SECTIONS).index(least) + 1]
        names = {name: field_table().get(f"tcp.analysis.{name}") for name in _ANALYSIS}
        self._analysis: dict[str, Field] = {name: field for name, field in names.items() if field is not None}
        self._repeated = known_field("tcp.options.sack.dsack")
        self._duplicate = known_field("tcp.analysis.duplicate_ack_num")
        self._hellos = {
            protocol.upper(): (
                known_field(f"{protocol}.handshake.type"), known_field(f"{protocol}.handshake.extensions.supported_version")
            )
            for protocol in ("tls", "dtls")
        }  # fmt: skip
        of_hellos = (field for pair in self._hellos.values() for field in pair)
        self.fields = frozenset((*self._analysis.values(), self._duplicate, self._repeated, *of_hellos))
        self._rows: dict[str, dict[tuple[str, str, str], int]] = {severity: {} for severity in self._shown}
        self._closing: dict[bytes, bytes] = {}
        self._largest: dict[bytes, int] = {}
        self._answered: set[int] = set()
        self._left_out = 0

    def take(self, view: View, passed: Sequence[bool]) -> None:
        """See `Tap.take`."""
        packet = view.layers.packet
        if packet.protocol != _TCP or packet.transport < 0:
            if passed[0]:
                self._take_hellos(view)
                seen = [event.length for event in view.events if isinstance(event, PacketSeen)]
                if seen and sum(seen) < packet.payload_end - packet.payload:
                    self._add(_NOTE, "Protocol", "QUIC", _PADDED)
            return
        initiates = self._initiates(packet) if packet.flags & _FIN else False
        resumed = sum(map(self._resumes, view.events))
        options = read_tcp_options(packet) if packet.flags & _SYN and packet.payload - packet.transport > _HEADER else []
        if packet.flags & _SYN:
            self._note_largest(packet.key(), options)
        if not passed[0]:
            return
        self._take_flags(packet, options, initiates)
        values = view.values
        if values is not None and values.has(self._repeated):
            self._add(_WARN, "Sequence", "TCP", "D-SACK Sequence")
        if packet.payload_end - packet.payload + packet.missing > self._largest.get(packet.key(), _LARGEST):
            self._add(_NOTE, "Protocol", "TCP", _EXCEEDED)
        if values is None:
            return
        for name, field in self._analysis.items():
            if values.has(field):
                severity, sentence = _ANALYSIS[name]
                self._add(severity, "Sequence", "TCP", sentence)
        for number in values.values(self._duplicate):
            self._add(_NOTE, "Sequence", "TCP", f"Duplicate ACK (#{number!s})")
        self._take_hellos(view)
        for _ in range(resumed):
            self._add(_NOTE, "Sequence", "TLS", _RESUMED)

    def _take_hellos(self, view: View) -> None:
        """Count the hellos that have supported_versions."""
        values = view.values
        for protocol, (types, versions) in self._hellos.items():
            if values is not None and values.has(versions):
                for kind in values.values(types):
                    if kind in _HELLOS:
                        self._add(_CHAT, "Deprecated", protocol, _LEGACY)

    def _resumes(self, event: "Event") -> bool:
        """Return whether an event shows that a session up to TLS 1.2 is resumed: its server changes to keys that nobody has
        negotiated after the hello (RFC 5246 section 7.3)."""
        if isinstance(event, HandshakeMessage):
            if event.type == _SERVER_HELLO and event.version < _TLS_13 and len(self._answered) < MOST_CLOSING:
                self._answered.add(event.session)
            elif event.type == _CLIENT_KEY_EXCHANGE:
                self._answered.discard(event.session)
        elif isinstance(event, RecordRead) and event.content_type == _CHANGE_CIPHER_SPEC and event.role == _SERVER:
            known = event.session in self._answered
            self._answered.discard(event.session)
            return known
        return False

    def _note_largest(self, key: bytes, options: Sequence[TcpOption]) -> None:
        """Note the maximum segment size that a side offers in its SYN. Wireshark compares it with what that side sends."""
        if len(self._largest) >= MOST_CLOSING:
            self._largest.clear()
        sizes = [option.value for option in options if option.kind == _SEGMENT_SIZE and isinstance(option.value, int)]
        self._largest[key] = sizes[0] if sizes else _LARGEST

    def _take_flags(self, packet: Packet, options: Sequence[TcpOption], initiates: bool) -> None:
        if packet.flags & _SYN and packet.flags & _ACK:
            self._add(_CHAT, "Sequence", "TCP", f"Connection establish acknowledge (SYN+ACK): server port {packet.source_port}")
        elif packet.flags & _SYN:
            port = packet.destination_port
            self._add(_CHAT, "Sequence", "TCP", f"Connection establish request (SYN): server port {port}")
        if options:
            seen = {option.kind: option for option in options}
            for kind, name in _EXPECTED.items():
                if kind not in seen:
                    self._add(_NOTE, "Protocol", "TCP", f"The SYN packet does not contain a {name} option")
            shift = seen[_WINDOW_SCALE].value if _WINDOW_SCALE in seen else 0
            if isinstance(shift, int) and shift > _MOST_SHIFT:
                self._add(_WARN, "Protocol", "TCP", f"Window scale shift exceeds {_MOST_SHIFT}")
        if packet.flags & _FIN:
            self._add(_CHAT, "Sequence", "TCP", "Connection finish (FIN)")
            what = "initiates" if initiates else "undergoes"
            self._add(_NOTE, "Sequence", "TCP", f"This frame {what} the connection closing")
        if not packet.flags & _ACK and packet.acknowledgement:
            self._add(_NOTE, "Protocol", "TCP", "The acknowledgment number field is nonzero while the ACK flag is not set")
        if packet.flags & _RST:
            self._add(_WARN, "Sequence", "TCP", "Connection reset (RST)")

    def _initiates(self, packet: Packet) -> bool:
        """Return whether the sender of a FIN was the first to send one in its connection."""
        key = packet.key()
        both = min(key, packet.reverse_key())
        if both not in self._closing and len(self._closing) >= MOST_CLOSING:
            self._closing.clear()
        return self._closing.setdefault(both, key) == key

    def _add(self, severity: str, group: str, protocol: str, sentence: str) -> None:
        rows = self._rows.get(severity)
        if rows is None:
            return
        row = group, protocol, sentence
        if row not in rows and len(rows) >= MOST_ROWS:
            self._left_out += 1
            return
        rows[row] = rows.get(row, 0) + 1

    def lines(self, span: Span) -> Iterator[str]:
        """See `Tap.lines`."""
        if self._left_out:
            complain(f"-z expert: {self._left_out:,} are beyond the limit of rows, and not in the table")
        for severity, rows in self._rows.items():
            if not rows:
                continue
            yield ""
            yield f"{_SECTIONS[severity]} ({sum(rows.values())})"
            yield "============="
            yield "   Frequency      Group           Protocol  Summary"
            for (group, protocol, sentence), n in rows.items():
                yield f"{n:>12} {group:>10} {protocol:>18}  {sentence}"
