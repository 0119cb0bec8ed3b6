"""The event of what a datagram of DTLS has beside whole messages, for lists of packets."""

from analyzer.tls.events import Event

FRAGMENT, REPEATED, WAITING = " (Fragment)", " (Retransmission)", ""
"""What stands behind the name of a message: a part of it came, it came before, or it is whole and waits for those before it."""


class PartSeen(Event):
    """A part of a handshake message, an ACK, or a record that came before. text: its name, as in lists of packets."""

    __slots__ = ("text",)

    def __init__(self, text: str, role: int, frame: int, at: int) -> None:
        self.text = text
        self.role = role
        self.frame = frame
        self.at = at
