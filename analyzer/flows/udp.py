"""The table of UDP flows (RFC 768): datagrams between the same two addresses and ports, in both directions, are one flow.

UDP has no beginning and no end. A flow begins with its first datagram in the capture. It ends when it was idle for a long time,
when there are too many flows, or at the end of the capture. A later datagram begins another flow, because it does not show
whether it continues the old one.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from analyzer.flows.connection import moved
from analyzer.flows.limits import HELD_TOTAL, RECENT, SWEEP_PACKETS, UDP_FLOWS, UDP_IDLE
from analyzer.flows.listener import Listener
from analyzer.flows.sink import DatagramSink
from analyzer.flows.udp_flow import UdpFlow, UdpSide
from analyzer.packet.packet import Packet

if TYPE_CHECKING:
    import cython


class UdpFlows:
    """All UDP flows of a capture. `feed` takes packets in the order of the capture; `close` ends all flows.

    sides: from the key of each direction to the side that sends in it. recent: sides that sent recently, each in a slot that
    depends on the ports, so that most packets need neither a key nor a lookup in `sides`. n_open: flows in the table.
    evicted: flows ended to stay within UDP_FLOWS and HELD_TOTAL. n_since_sweep: packets since the last search for idle flows.
    """

    __slots__ = ("evicted", "listener", "n_open", "n_since_sweep", "recent", "sides")

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.sides: dict[bytes, UdpSide] = {}
        self.recent: list[UdpSide | None] = [None] * RECENT
        self.n_open = 0
        self.evicted = 0
        self.n_since_sweep = 0

    def feed(self, packet: Packet, frame: cython.longlong, at: cython.longlong) -> None:
        """Take one UDP packet whose header was read into `packet`. at: in nanoseconds since 1970-01-01 UTC."""
        side: UdpSide = self.find(packet)
        if side is None:
            side = self.open(packet, frame, at)
        flow: UdpFlow = side.flow
        flow.last_frame = frame
        flow.end = at
        if packet.copy_of > 0:
            flow.copies += 1
        else:
            side.n_packets += 1
            side.n_bytes += packet.payload_end - packet.payload + packet.missing
        sink: DatagramSink = flow.sink
        if sink.wanted:
            sink.feed(side.side, packet.data, packet.payload, packet.payload_end, packet.missing, frame, at)
        if self.listener.held > HELD_TOTAL:
            self.evict()
        self.n_since_sweep += 1
        if self.n_since_sweep > SWEEP_PACKETS and self.n_since_sweep > 2 * len(self.sides):
            self.tick(at)

    def tick(self, at: cython.longlong) -> None:
        """End the flows that had no datagram for longer than UDP_IDLE before `at`, in nanoseconds since 1970-01-01 UTC.

        Call it when time passes without packets, as on a quiet interface. It visits all flows, so do not call it more than a
        few times per second. An `at` before the last packet's time ends nothing.
        """
        flow: UdpFlow
        self.n_since_sweep = 0
        for flow in self.all_open():
            if at - flow.end > UDP_IDLE:
                self.end(flow, "idle")

    def set_clock(self, before: cython.longlong, after: cython.longlong) -> None:
        """Move the times of all flows: see `Connections.set_clock`."""
        flow: UdpFlow
        for flow in self.all_open():
            flow.start = moved(flow.start, before, after)
            flow.end = moved(flow.end, before, after)

    def close(self, frame: cython.longlong, at: cython.longlong) -> None:
        """End all flows at the end of the capture, in the order in which they began."""
        flow: UdpFlow
        for flow in self.all_open():
            self.end(flow, "end")

    def find(self, packet: Packet) -> UdpSide:
        """Return the side that sent a packet; None if it belongs to no open flow."""
        place: cython.Py_ssize_t = (packet.source_port ^ packet.destination_port) % RECENT
        side: UdpSide = self.recent[place]  # type: ignore[assignment]
        if side is not None:
            if packet.has_key(side.key):
                return side
            side = side.peer
            if packet.has_key(side.key):
                return side
        side = self.sides.get(packet.key())  # type: ignore[assignment]
        if side is not None:
            self.recent[place] = side
        return side

    def open(self, packet: Packet, frame: cython.longlong, at: cython.longlong) -> UdpSide:
        """Begin a flow with its first datagram in the capture. Return the side that sent the datagram."""
        if self.n_open >= UDP_FLOWS:
            self.evict()
        place: cython.Py_ssize_t = (packet.source_port ^ packet.destination_port) % RECENT
        key: bytes = packet.key()
        reverse: bytes = packet.reverse_key()
        flow: UdpFlow = UdpFlow(key, reverse, place, frame, at)
        self.sides[reverse] = flow.responder
        self.sides[key] = flow.originator  # if source and destination are the same, there is one entry
        self.recent[place] = flow.originator
        self.n_open += 1
        flow.sink = self.listener.open_datagrams(flow)
        return flow.originator

    def all_open(self) -> list[UdpFlow]:
        """Return the open flows, in the order in which they began."""
        side: UdpSide
        flows: list[UdpFlow] = []
        for side in self.sides.values():
            if side.side == 0:
                flows.append(side.flow)  # noqa: PERF401 - a comprehension would not see C types
        return flows

    def evict(self) -> None:
        """End the quarter of the open flows that was silent for the longest time."""
        flows: list[UdpFlow] = self.all_open()
        flows.sort(key=attrgetter("last_frame"))
        flow: UdpFlow
        for flow in flows[: len(flows) // 4 + 1]:
            self.evicted += 1
            self.end(flow, "evicted")

    def end(self, flow: UdpFlow, reason: str) -> None:
        """End a flow and remove it. Break its reference cycle, so that it is freed at once, without the garbage collector."""
        sink: DatagramSink = flow.sink
        side: UdpSide
        self.recent[flow.place] = None
        for side in (flow.responder, flow.originator):
            self.sides.pop(side.key, None)
            side.flow = None  # type: ignore[assignment]
            side.peer = None  # type: ignore[assignment]
        self.n_open -= 1
        flow.closed = reason
        flow.sink = None  # type: ignore[assignment]
        sink.close(reason, flow.last_frame, flow.end)
