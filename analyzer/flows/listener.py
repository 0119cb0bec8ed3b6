"""The listener, which is notified of new connections and UDP flows, and returns a reader for each."""

from analyzer.flows.connection import Connection
from analyzer.flows.sink import DatagramSink, Sink
from analyzer.flows.udp_flow import UdpFlow


class Listener:
    """Is notified of each new connection and UDP flow, and returns its sink.

    held: bytes of memory that all sinks keep.
    """

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = 0

    def open(self, connection: Connection) -> Sink:
        """Return the reader of a new connection's bytes."""
        return Sink()

    def open_datagrams(self, flow: UdpFlow) -> DatagramSink:
        """Return the reader of a new flow's datagrams. Here it is a reader that wants no datagrams."""
        sink: DatagramSink = DatagramSink()
        sink.wanted = False
        return sink
