"""Who hears of connections and of UDP flows, and gives each one its reader."""

from analyzer.flows.connection import Connection
from analyzer.flows.sink import Sink


class Listener:
    """Who wants to hear of connections: gives each one its sink. held: bytes of memory that all sinks keep."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = 0

    def open(self, connection: Connection) -> Sink:
        """Return the reader of a new connection's bytes."""
        return Sink()
