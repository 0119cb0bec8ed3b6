"""What carries a flow that has no TCP connection of its own: another session that was decrypted, or EAP."""

from typing import Any

EAP, INNER = "eap", "tls"
"""What `Carrier.name` can be: EAP packets, and another session."""


class Carrier:
    """What carries a flow.

    name: INNER for a session inside another one, EAP for one in EAP packets. session: the number of the session that carries
    it, -1 if none does. depth: how many sessions are around it. before: what stood before its TLS, as entries of the record's
    key `before`, which come before those that the flow itself shows. silent: whether the client left the last request of EAP
    without an answer; cut: whether packets of EAP show that the capture lacks its end.
    """

    __slots__ = ("before", "cut", "depth", "name", "session", "silent")

    def __init__(self, name: str, session: int = -1, depth: int = 0) -> None:
        self.name = name
        self.session = session
        self.depth = depth
        self.silent = self.cut = False
        self.before: list[dict[str, Any]] = []
