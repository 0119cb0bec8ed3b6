"""The tables `-z conv,KIND` and `-z endpoints,KIND` of tshark: who talked to whom, and how much.

The end that sent the first packet stands at the left. Those with the most frames come first; among equals, the one that was
seen first. An IPv6 fragment counts where it completes its datagram, and else not at all.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from analyzer.analysis.conversations import KINDS, Conversation, Conversations, conversations_of, endpoints_of
from analyzer.cli.frame_reading import View
from analyzer.cli.output import CommandError, complain
from analyzer.cli.tshark_taps import Span, Tap

if TYPE_CHECKING:
    from analyzer.filters.compiled_filter import CompiledFilter

_TITLES = {"eth": "Ethernet", "ipv4": "IPv4", "ipv6": "IPv6", "tcp": "TCP", "udp": "UDP"}
_KINDS = {"eth": "eth", "ip": "ipv4", "ipv6": "ipv6", "tcp": "tcp", "udp": "udp"}
_BORDER = "=" * 80
_SECOND = 1_000_000_000
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


class _Counted(Tap):
    """Counts conversations of one kind. text: the filter as it was written, empty without one."""

    def __init__(self, name: str, chosen: "CompiledFilter | None", text: str) -> None:
        """name: of the kind, as tshark has it. Raises CommandError for one that is not counted here."""
        if name not in _KINDS:
            raise CommandError(f"-z: {name!r} is none of {', '.join(_KINDS)}")
        self.filters = (chosen,)
        self.kind = _KINDS[name]
        self.text = text
        self.counted: Conversations = Conversations(1 << KINDS.index(self.kind), False)

    def take(self, view: View, passed: Sequence[bool]) -> None:
        """See `Tap.take`."""
        if passed[0]:
            self.counted.count(view.layers, view.frame)

    def head(self, what: str) -> Iterator[str]:
        """Yield the lines above the columns."""
        beyond = self.counted.beyond[KINDS.index(self.kind)]
        if beyond:
            complain(f"-z: {beyond:,} packets are in conversations beyond the limit, which are not in the table")
        yield _BORDER
        yield f"{_TITLES[self.kind]} {what}"
        yield f"Filter:{self.text or '<No Filter>'}"


class ConversationTap(_Counted):
    """`-z conv,KIND`."""

    def lines(self, span: Span) -> Iterator[str]:
        """See `Tap.lines`."""
        room = 26 if self.kind in ("tcp", "udp") else 20
        left = " " * (2 * room + 7)
        yield from self.head("Conversations")
        yield f"{left}|       <-      | |       ->      | |     Total     |    Relative    |   Duration   |"
        yield f"{left}| Frames  Bytes | | Frames  Bytes | | Frames  Bytes |      Start     |              |"
        for one in sorted(conversations_of(self.counted, self.kind), key=lambda one: -sum(one.packets)):
            yield _conversation_line(one, room, span.start)
        yield _BORDER


def _conversation_line(one: Conversation, room: int, start: int) -> str:
    ends = f"{_end(one.source):<{room}} <-> {_end(one.destination):<{room}}"
    sent, answered = (f"{n:>6} {size_text(size):<9}" for n, size in zip(one.packets, one.n_bytes, strict=True))
    total = f"{sum(one.packets):>6} {size_text(sum(one.n_bytes)):<9}"
    began, ended = (_seconds(max(0, at - start)) for at in (one.first, one.last))
    return f"{ends}  {answered}  {sent}  {total}  {began:>14.9f}   {ended - began:>12.4f}"


def _seconds(nanoseconds: int) -> float:
    """Return a time as a double, with the rounding of tshark."""
    return nanoseconds // _SECOND + nanoseconds % _SECOND / _SECOND


class EndpointTap(_Counted):
    """`-z endpoints,KIND`."""

    def lines(self, span: Span) -> Iterator[str]:
        """See `Tap.lines`."""
        ported = self.kind in ("tcp", "udp")
        yield from self.head("Endpoints")
        columns = "| Packets | |  Bytes  | | Tx Packets | | Tx Bytes | | Rx Packets | | Rx Bytes |"
        yield f"{' ' * 23}{'|  Port  | ' if ported else ''}{columns}"
        for one in sorted(endpoints_of(self.counted, self.kind), key=lambda one: -one.packets):
            port = f"      {one.port:>5}" if ported else ""
            yield (
                f"{one.address:<20}{port}       {one.packets:>6}   {size_text(one.n_bytes):<10}"
                f"     {one.sent_packets:>6}      {size_text(one.sent_bytes):<10}"
                f"      {one.received_packets:>6}      {size_text(one.received_bytes):<10}  "
            )
        yield _BORDER


def size_text(n_bytes: int) -> str:
    """Return a size as tshark writes it: in bytes below ten thousand, else in whole units of a thousand, rounded down."""
    place = 0
    while n_bytes >= 10_000 and place < len(_UNITS) - 1:
        n_bytes //= 1000
        place += 1
    return f"{n_bytes} {_UNITS[place]}"


def _end(end: tuple[str, int | None]) -> str:
    return end[0] if end[1] is None else f"{end[0]}:{end[1]}"
