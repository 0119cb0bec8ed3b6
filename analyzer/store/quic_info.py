"""Describes the QUIC packets of a datagram for the packet list, in the words of Wireshark.

What a packet completed comes first, because it says most: a ClientHello with its name, an alert, a request. Behind it are the
packets, each with its connection IDs, its number if it was opened, and its frames.
"""

from collections.abc import Sequence
from itertools import islice

from analyzer.tls.quic.datagram_packets import DatagramPacket, DatagramPackets
from analyzer.tls.quic.frame_layout import packet_frames
from analyzer.tls.quic.quic_events import KINDS, SEALED, PacketSeen

MAX_WORDS = 64
"""Frames of one packet that are named; a packet can have a thousand of one byte."""


class QuicPackets:
    """Describes datagrams. It has to see all of a capture, in their order."""

    __slots__ = ("_packets",)

    def __init__(self) -> None:
        self._packets = DatagramPackets()

    def may_begin(self, first: int) -> bool:
        """See `DatagramPackets.may_begin`."""
        return self._packets.may_begin(first)

    def describe(self, data: bytes, key: bytes, seen: Sequence[PacketSeen]) -> str:
        """Return the words for the packets of a datagram; empty if it is not QUIC. seen: the events of its packets."""
        waiting = list(seen)
        words = []
        for packet in self._packets.split(data, key):
            octets = data[packet.start : packet.end]
            event = next((one for one in waiting if one.packet == octets), None)
            if event is not None:
                waiting.remove(event)
            words.append(_packet_text(packet, event))
        return ", ".join(words + [_sealed_or_opened(KINDS[one.level], one) for one in waiting])


def _packet_text(packet: DatagramPacket, event: PacketSeen | None) -> str:
    """Return the words for a packet. event: None if it is of no connection that is followed."""
    destination, source = packet.destination, b"" if packet.header is None else packet.header.source
    title = packet.title
    if event is not None and packet.header is None:
        destination = event.packet[1 : event.number_at]
        if event.first >= 0:
            title += f" (KP{event.first >> 2 & 1})"
    words = [title]
    if destination:
        words.append(f"DCID={destination.hex()}")
    if source:
        words.append(f"SCID={source.hex()}")
    return _sealed_or_opened(", ".join(words), event)


def _sealed_or_opened(words: str, event: PacketSeen | None) -> str:
    """Return the words with number and frames of a packet that was opened."""
    if event is None or event.number == SEALED:
        return words
    named = [frame.word for frame in islice(packet_frames(event.plaintext), MAX_WORDS)]
    return ", ".join([f"{words}, PKN: {event.number}", *named])
