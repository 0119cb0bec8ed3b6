"""Who hears of connections and of UDP flows, and gives each one its reader."""

from analyzer.flows.connection import Connection
from analyzer.flows.sink import DatagramSink, Sink
from analyzer.flows.udp_flow import UdpFlow


class Listener:
    """Who wants to hear of connections and UDP flows: gives each one its sink. held: bytes of memory that all sinks keep."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = 0

    def open(self, connection: Connection) -> Sink:
        """Return the reader of a new connection's bytes."""
        return Sink()

    def open_datagrams(self, flow: UdpFlow) -> DatagramSink:
        """Return the reader of a new flow's datagrams; here one that wants none."""
        sink: DatagramSink = DatagramSink()
        sink.wanted = False
        return sink
