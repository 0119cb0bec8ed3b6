"""What names an EAP conversation in RADIUS: the State attribute of its server, and what its requests say of the supplicant."""

from typing import Any

from analyzer.engine.eap_side import MOST_MISSING
from analyzer.flows.eap import Radius


class RadiusNames:
    """The names of one conversation; without RADIUS, it has none.

    station: how the access point names the supplicant. states: the number of the conversation, and the states that lead to it,
    the latest last.
    """

    __slots__ = ("_asker", "_keeps_state", "_state", "states", "station")

    def __init__(self, number: int | None = None) -> None:
        self.station = b""
        self.states: list[Any] = [] if number is None else [number]
        self._asker: tuple[bytes, ...] = ()
        self._state = b""
        self._keeps_state = False

    def take_request(self, found: Radius) -> None:
        """Take a request of the conversation."""
        self.station = self.station or found.station
        self._asker = found.asker

    def take_challenge(self, state: bytes) -> None:
        """Take the State of an answer."""
        self._keeps_state = state == self._state
        self._state = state

    def go_on(self, found: Radius, answered: int, identifier: int) -> bool:
        """Return whether a request of the same station can belong to the conversation, although nobody knows its state.

        The challenge before it is missing then. So its EAP identifier is one of the next behind `answered`, its other
        attributes are the same, and its state is another one only where the server gives a new one with each challenge.
        """
        if not 0 < (identifier - answered) % 256 <= MOST_MISSING or self._keeps_state:
            return False
        return all(not one or not other or one == other for one, other in zip(self._asker, found.asker, strict=False))
