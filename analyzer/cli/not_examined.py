"""Says what a summary did not look into: what is only counted, and what is not read at all.

Who reads a summary must not take silence for absence. So each kind of traffic whose content nobody looked at is named, with its
amount.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from analyzer.analysis.traffic import TCP, UDP, Layers, Traffic, unread_datagrams
from analyzer.capture.capture_reader import FileFacts
from analyzer.cli.output import Output
from analyzer.cli.page import headline
from analyzer.cli.table import wrap
from analyzer.engine.eap_sessions import PORT_CONTROL
from analyzer.packet.bus_frames import BLUETOOTH, BUSES, USB
from analyzer.packet.link_layers import READABLE_INNER, READABLE_LINK_TYPES
from analyzer.packet.sealed_packets import ESP, MACSEC
from analyzer.store.declaration import path_text
from analyzer.text.escape import harmless
from analyzer.text.file_findings import unread_link_types
from analyzer.text.formatting import count_text, size_text
from analyzer.text.language import say

_IP = (0x0800, 0x86DD)
"""The EtherTypes of IPv4 and IPv6."""


class NotExamined(NamedTuple):
    """One kind of traffic that was not looked into. amount: packets, conversations or sessions. text: a sentence."""

    kind: str
    amount: int
    text: str


def not_examined(
    files: Sequence[FileFacts], traffic: Traffic, tls: Collection[bytes], n_undecrypted: int
) -> Iterator[NotExamined]:
    """Yield what was not looked into. tls: keys of TCP conversations with TLS. n_undecrypted: sessions that nobody opened."""
    layers = traffic.layers.values()
    unread = sum(one.n_packets for one in layers if one.link not in READABLE_LINK_TYPES)
    n_inner = sum(n for facts in files for number, n in facts.link_types.inner.items() if number not in READABLE_INNER)
    if unread + n_inner:
        n = unread + n_inner
        lines = [line for facts in files for line in unread_link_types(facts)]
        text = lines[0] if len(lines) == 1 else say("{packets} of other link types", packets=count_text(n, "packet"))
        yield NotExamined("link_type", n, text)
    buses = _of_buses(layers, files)
    for bus, n in buses.items():
        if n:
            text = say("{frames} of {bus}: only named, no IP in them is read", frames=count_text(n, "frame"), bus=bus)
            yield NotExamined(bus.lower(), n, text)
    n = traffic.unnamed - n_inner - sum(buses.values())
    if n > 0:
        packets = count_text(n, "packet")
        yield NotExamined("content", n, say("{packets} whose content is encrypted, compressed or unknown", packets=packets))
    if traffic.malformed > unread:
        n = traffic.malformed - unread
        yield NotExamined("headers", n, say("{packets} with damaged or cut headers", packets=count_text(n, "packet")))
    for name, n in unread_datagrams(traffic).items():
        if n:
            text = say("{packets} of {protocol}: neither read nor decrypted", packets=count_text(n, "packet"), protocol=name)
            yield NotExamined(name.lower(), n, text)
    n, n_bytes = _without_tls(traffic, tls)
    if n:
        connections = count_text(n, "TCP connection")
        text = say(
            "{connections} without TLS ({size}): only counted; `analyzer http` reads plain HTTP",
            connections=connections,
            size=size_text(n_bytes),
        )
        yield NotExamined("tcp", n, text)
    n, n_bytes = _datagrams(traffic)
    if n:
        conversations = count_text(n, "UDP conversation")
        text = say("{conversations} ({size}): only counted", conversations=conversations, size=size_text(n_bytes))
        yield NotExamined("udp", n, text)
    yield from _encrypted(traffic)
    n = sum(one.n_packets for one in layers if _is_other(one))
    if n:
        text = say("{packets} of other protocols: only counted", packets=count_text(n, "packet"))
        yield NotExamined("other", n, text)
    if n_undecrypted:
        sessions = count_text(n_undecrypted, "session")
        yield NotExamined("sessions", n_undecrypted, say("what {sessions} carried: not decrypted", sessions=sessions))
    if traffic.uncounted:
        packets = count_text(traffic.uncounted, "packet")
        text = say("{packets} of conversations beyond the limit: counted by protocol only", packets=packets)
        yield NotExamined("beyond_limit", traffic.uncounted, text)


def records(found: Sequence[NotExamined]) -> list[dict[str, Any]]:
    """Return them as JSON values."""
    return [{"kind": one.kind, "count": one.amount, "detail": path_text(one.text)} for one in found]


def print_not_examined(found: Sequence[NotExamined], output: Output) -> None:
    """Print them; nothing if all was looked into."""
    if not found:
        return
    headline(output, say("Not looked into"))
    for one in found:
        for line in wrap(harmless(one.text), output.width - 2):
            output.line("  " + line)


def _is_other(layers: Layers) -> bool:
    """Return whether these packets are neither TCP nor UDP, and whole: an IP packet without a transport is damaged."""
    if layers.transport >= 0:
        return layers.transport not in (TCP, UDP, ESP)
    return layers.network >= 0 and layers.network not in (*_IP, *PORT_CONTROL, MACSEC)


def _of_buses(layers: Iterable[Layers], files: Sequence[FileFacts]) -> dict[str, int]:
    """Return how many frames are of USB and of Bluetooth, also behind a header that names their link type."""
    found = {USB: 0, BLUETOOTH: 0}
    for one in layers:
        if one.link in BUSES:
            found[BUSES[one.link]] += one.n_packets
    for facts in files:
        for number, n in facts.link_types.inner.items():
            if number in BUSES:
                found[BUSES[number]] += n
    return found


def _encrypted(traffic: Traffic) -> Iterator[NotExamined]:
    """Yield what is encrypted below IP or in it: nothing of its content can be seen, not even who talks to whom in it."""
    layers = traffic.layers.values()
    n = sum(one.n_packets for one in layers if one.network == MACSEC and one.transport < 0)
    if n:
        text = say("{packets} encrypted by MACsec: nothing in them can be read", packets=count_text(n, "packet"))
        yield NotExamined("macsec", n, text)
    n = traffic.sealed + sum(one.n_packets for one in layers if one.transport == ESP)
    if n:
        text = say("{packets} of ESP (IPsec), encrypted: nothing in them can be read", packets=count_text(n, "packet"))
        yield NotExamined("esp", n, text)


def _without_tls(traffic: Traffic, tls: Collection[bytes]) -> tuple[int, int]:
    """Return how many TCP conversations have no TLS, and their bytes on the wire."""
    n = n_bytes = 0
    for flow in traffic.tcp.values():
        peer = flow.peer
        if flow.opened and flow.key not in tls and (peer is None or peer.key not in tls):
            n += 1
            n_bytes += flow.n_bytes + (0 if peer is None else peer.n_bytes)
    return n, n_bytes


def _datagrams(traffic: Traffic) -> tuple[int, int]:
    """Return how many UDP conversations are neither QUIC nor DTLS, nor RADIUS with TLS; and their bytes on the wire."""
    n = n_bytes = 0
    for flow in traffic.udp.values():
        peer = flow.peer
        if flow.key in traffic.followed or (peer is not None and peer.key in traffic.followed):
            continue
        if flow.opened and not flow.kind and (peer is None or not peer.kind):
            n += 1
            n_bytes += flow.n_bytes + (0 if peer is None else peer.n_bytes)
    return n, n_bytes
