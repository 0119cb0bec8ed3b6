"""The event of a QUIC packet, for lists of packets: its kind, its number where it was opened, its length."""

from analyzer.tls.events import Event

KINDS = ("Initial", "0-RTT", "Handshake", "Protected Payload")
"""What packets of each encryption level are called, as Wireshark calls them."""

SEALED = -1
"""The number of a packet that was not opened."""


class PacketSeen(Event):
    """A packet of a connection. level: its encryption level. number: the packet number, SEALED if it was not opened."""

    __slots__ = ("length", "level", "number")

    def __init__(self, level: int, role: int, number: int, length: int, frame: int, at: int) -> None:
        self.level = level
        self.role = role
        self.number = number
        self.length = length
        self.frame = frame
        self.at = at

    @property
    def text(self) -> str:
        """The packet in a word or two, as in lists of packets."""
        return KINDS[self.level] if self.number == SEALED else f"{KINDS[self.level]}, PKN: {self.number}"
