"""What reads the bytes of one tunnel inside a session: `inner_streams.InnerStream`, as the readers of HTTP see it."""

from collections.abc import Callable
from typing import Final, Protocol

from analyzer.flows.carrier import Carrier

NO_TIME: Final = -1
"""As the time at which a tunnel ends: the capture lacks what follows, so that nobody knows when and how it ended."""


class Tunnel(Protocol):
    """The reader of one tunnel. Role 0 is the client."""

    carrier: Carrier

    def feed(self, role: int, data: bytes, frame: int, at: int) -> bool:
        """Take the next bytes of a role. Return whether more is wanted."""

    def miss(self, role: int) -> bool:
        """Note that bytes of a role are missing. Return whether more is wanted."""

    def close(self, at: int) -> None:
        """End the tunnel, with the session around it, or with what is known of it (NO_TIME)."""


Begin = Callable[[int, int], Tunnel]
"""Begins a tunnel in a frame, at a time."""
