"""The state of one UDP flow: its two sides, how much each one sent, and its reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.flows.sink import DatagramSink

if TYPE_CHECKING:
    import cython


class UdpSide:
    """One side of a flow.

    side: 0 for the sender of the first datagram seen, 1 for the other side. peer: the other side. key: addresses and ports of
    the datagrams that it sends, as in `Packet.key`. n_packets: datagrams that it sent; n_bytes: their payload, including bytes
    that the snapshot length removed. `flow` and `peer` are None after the flow has ended.
    """

    __slots__ = ("flow", "key", "n_bytes", "n_packets", "peer", "side")

    def __init__(self, flow: UdpFlow, side: cython.int, key: bytes) -> None:
        self.flow = flow
        self.side = side
        self.key = key
        self.peer: UdpSide = None  # type: ignore[assignment]  # the other side comes with `UdpFlow`
        self.n_packets = 0
        self.n_bytes = 0


class UdpFlow:
    """The datagrams between two pairs of address and port.

    originator: the side that sent the first datagram seen; responder: the other side. first_frame, last_frame, start, end: of
    its datagrams; times in nanoseconds since 1970-01-01 UTC. closed: why it ended, "" while it is open. sink: its reader, None
    after it has ended. place: its slot in `UdpFlows.recent`. copies: datagrams that the capture had already (`packet_copies`);
    they are passed on, and not counted.
    """

    __slots__ = (
        "closed", "copies", "end", "first_frame", "last_frame", "originator", "place", "responder", "sink", "start",
    )  # fmt: skip

    def __init__(
        self, key: bytes, reverse: bytes, place: cython.Py_ssize_t, frame: cython.longlong, at: cython.longlong
    ) -> None:
        self.originator: UdpSide = UdpSide(self, 0, key)
        self.responder: UdpSide = UdpSide(self, 1, reverse)
        self.originator.peer = self.responder
        self.responder.peer = self.originator
        self.place = place
        self.copies = 0
        self.first_frame = frame
        self.last_frame = frame
        self.start = at
        self.end = at
        self.closed = ""
        self.sink: DatagramSink = None  # type: ignore[assignment]  # set by `UdpFlows.open`
