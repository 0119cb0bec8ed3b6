"""The event of a QUIC packet, for views of single packets: where it is in its datagram, and what it carried, if it opened."""

from analyzer.secrets.quic_protection import OpenedPacket
from analyzer.tls.events import Event

KINDS = ("Initial", "0-RTT", "Handshake", "Protected Payload")
"""What packets of each encryption level are called, as Wireshark calls them."""

SEALED = -1
"""The number of a packet that was not opened."""


UNANNOUNCED = "unannounced"
"""The `problem` of a record whose connection ID is not known to be the receiver's, or proves nothing."""

GUESSED = "guessed"
"""The `problem` of a record that may be of another connection: it counts if it opens."""

VERSION_BITS, VERSION_MASK = 32, 0xFFFFFFFF
"""The low bits of the `offset` of a record are the version of QUIC. Above them is UNCOUNTED more than the ECN codepoint of a
packet that shows nothing of its role before it opens (`Marks.see`), else 0."""

UNCOUNTED = 2


class PacketSeen(Event):
    """A packet of a connection.

    level: its encryption level. number: the packet number, SEALED if it was not opened. length: its bytes, as its header says.
    packet: its bytes in the datagram, fewer if the capture has fewer; empty where nobody needs them. number_at: the position
    of the packet number in them. first: the first byte of the header without header protection, -1 for a sealed packet.
    plaintext: its frames.
    """

    __slots__ = ("first", "length", "level", "number", "number_at", "packet", "plaintext")

    def __init__(
        self,
        level: int,
        role: int,
        opened: OpenedPacket | None,
        packet: bytes,
        number_at: int,
        length: int,
        frame: int,
        at: int,
    ) -> None:
        self.level = level
        self.role = role
        self.number = SEALED if opened is None else opened.number
        self.first = -1 if opened is None else opened.first
        self.plaintext = b"" if opened is None else opened.plaintext
        self.packet = packet
        self.number_at = number_at
        self.length = length
        self.frame = frame
        self.at = at
