"""Prints what a summary says of all packets: their protocols, the hosts with the most traffic, the largest conversations."""

from collections.abc import Iterable, Mapping

from analyzer.analysis.talkers import talkers
from analyzer.analysis.traffic import Share, Traffic
from analyzer.cli.output import Output
from analyzer.cli.page import dim_line, headline
from analyzer.cli.table import Column, Table, pad, width
from analyzer.codec.registry import registry
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, duration_text, endpoint_text, size_text
from analyzer.text.language import retold, say
from analyzer.text.punctuation import listing

_BAR = 24
"""Columns of the longest bar."""

_PORT = " (port "
"""Is in the name of a protocol that only the port tells: see `traffic.application`."""

_CONVERSATIONS = (
    Column("bytes", 0, right=True),
    Column("packets", 4, right=True),
    Column("from", 1, limit=47),
    Column("to", 2, limit=47),
    Column("sent", 7, right=True),
    Column("answered", 8, right=True),
    Column("duration", 5, right=True),
    Column("carries", 3),
)

_HOSTS = (
    Column("bytes", 0, right=True),
    Column("packets", 4, right=True),
    Column("host", 1),
    Column("sent", 2, right=True),
    Column("received", 3, right=True),
    Column("conversations", 6, right=True),
    Column("peers", 5, right=True),
    Column("asked for as", 7, style="cyan", rest=True),
)


def print_protocols(traffic: Traffic, tls: Iterable[bytes], output: Output, n: int) -> None:
    """Print the protocols as a tree of at most `n` lines, those with the most bytes. tls: as for `Traffic.shares`."""
    every = traffic.shares(tls)
    if not every:
        return
    shares = _largest(every, n)
    headline(output, say("Protocols"), say("packets, bytes on the wire, their share"))
    labels = ["  " * share.depth + harmless(retold(share.label)) for share in shares]
    room = max(12, *map(width, labels))
    bar = max(0, min(_BAR, output.width - room - 36))
    for share, label in zip(shares, labels, strict=True):
        part = share.n_bytes / traffic.n_bytes if traffic.n_bytes else 0.0
        line = f"  {pad(label, room)}  {share.n_packets:>11,}  {pad(size_text(share.n_bytes), 9, True)}  {percent(part):>5}"
        output.line(f"{line}  {output.paint(bar_text(part, bar), 'blue')}" if bar >= 8 else line)
    if len(every) > len(shares):
        dim_line(output, say("and {further}", further=count_text(len(every) - len(shares), "further protocol")))
    if any(_PORT in share.label for share in shares):
        dim_line(output, say("(port N): told by the port alone; TLS, DTLS and QUIC are recognized by their bytes"))
    if traffic.tunnelled:
        dim_line(output, say("of these {packets} inside tunnels", packets=count_text(traffic.tunnelled, "packet")))


def _largest(shares: list[Share], n: int) -> list[Share]:
    """Return the `n` shares with the most bytes in their order. What carries them is never smaller, so it is there too."""
    places = sorted(range(len(shares)), key=lambda place: (-shares[place].n_bytes, place))[:n]
    return [shares[place] for place in sorted(places)]


def percent(part: float) -> str:
    """Return a part of 1 in percent. A part above 0 is never shown as 0 %."""
    if 0 < part < 0.0005:
        return "<0.1%"
    return f"{part * 100:.1f}%" if part < 0.9995 else "100%"


def bar_text(part: float, room: int) -> str:
    """Return a bar in eighths of a column; its length is `room` columns for 1. For a part above 0 it is never empty."""
    eighths = max(1, round(part * room * 8)) if part > 0 else 0
    return "█" * (eighths // 8) + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[eighths % 8]


def print_hosts(traffic: Traffic, names: Mapping[str, Iterable[str]], output: Output, n: int) -> None:
    """Print the `n` hosts with the most traffic. names: of servers, by address, as clients have asked for them."""
    top, n_hosts = talkers(traffic, n)
    if not top:
        return
    shown = say("the {n} with the most bytes of {all:,}", n=len(top), all=n_hosts)
    headline(output, say("Hosts"), shown if n_hosts > len(top) else "")
    table = Table(_HOSTS, output, indent=2)
    for one in top:
        table.add(
            [
                size_text(sum(one.n_bytes)),
                f"{sum(one.packets):,}",
                one.address,
                size_text(one.n_bytes[0]),
                size_text(one.n_bytes[1]),
                f"{one.conversations:,}",
                f"{one.peers:,}",
                listing(map(harmless, names.get(one.address, ()))),
            ]
        )
    table.close()


def print_conversations(traffic: Traffic, tls: Iterable[bytes], output: Output, n: int) -> None:
    """Print the `n` conversations with the most bytes. tls: as for `Traffic.top`."""
    if not traffic.conversations:
        return
    top = traffic.top(n, tls)
    shown = say("the {n} with the most bytes of {all:,}", n=len(top), all=traffic.conversations)
    headline(output, say("Conversations"), shown if traffic.conversations > len(top) else "")
    table = Table(_CONVERSATIONS, output, indent=2)
    protocols = registry("ip_protocols").names
    for one in top:
        table.add(
            [
                size_text(sum(one.n_bytes)),
                f"{sum(one.packets):,}",
                endpoint_text(*one.source),
                endpoint_text(*one.destination),
                size_text(one.n_bytes[0]),
                size_text(one.n_bytes[1]),
                duration_text(one.last - one.first) if 0 <= one.first <= one.last else "",
                retold(one.application) or protocols[one.protocol],
            ]
        )
    table.close()
