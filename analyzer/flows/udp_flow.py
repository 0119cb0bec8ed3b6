"""What is known of one UDP flow: its two sides, what each one sent, and who reads it."""

import cython

from analyzer.flows.sink import DatagramSink


class UdpSide:
    """One side of a flow: `side` is 0 for who sent the first datagram seen and 1 for the other, `peer` the other side.

    key: addresses and ports of what it sends, as `Packet.key` gives them. n_packets: datagrams that it sent; n_bytes: their
    payload, with what the snapshot length cut off. flow and peer are None once the flow has ended.
    """

    __slots__ = ("flow", "key", "n_bytes", "n_packets", "peer", "side")

    def __init__(self, flow: "UdpFlow", side: cython.int, key: bytes) -> None:
        self.flow = flow
        self.side = side
        self.key = key
        self.peer: UdpSide = None  # type: ignore[assignment]  # the other side comes with `UdpFlow`
        self.n_packets = 0
        self.n_bytes = 0


class UdpFlow:
    """The datagrams between two pairs of address and port; `originator` is the side that sent the first one seen.

    first_frame, last_frame, start, end: of its datagrams; times in nanoseconds since 1970-01-01 UTC. closed: why it ended, ""
    while it is open. sink: its reader, None once it has ended. place: where `UdpFlows.recent` has it.
    """

    __slots__ = ("closed", "end", "first_frame", "last_frame", "originator", "place", "responder", "sink", "start")

    def __init__(
        self, key: bytes, reverse: bytes, place: cython.Py_ssize_t, frame: cython.longlong, at: cython.longlong
    ) -> None:
        self.originator: UdpSide = UdpSide(self, 0, key)
        self.responder: UdpSide = UdpSide(self, 1, reverse)
        self.originator.peer = self.responder
        self.responder.peer = self.originator
        self.place = place
        self.first_frame = frame
        self.last_frame = frame
        self.start = at
        self.end = at
        self.closed = ""
        self.sink: DatagramSink = None  # type: ignore[assignment]  # set by `UdpFlows.open`
